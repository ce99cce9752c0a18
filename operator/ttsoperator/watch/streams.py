"""Run kopf so that it only watches and writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import kopf
from kubernetes.aio import client

from ttsoperator.children.registry import watched
from ttsoperator.kube.client import PAGE
from ttsoperator.kube.resources import TTS_SERVICE
from ttsoperator.names import CHILD_SELECTOR


class WatchFailed(Exception):
    """kopf stopped watching; a new process finds out why, and waits if the CRD is missing."""


async def watch(
    registry: kopf.OperatorRegistry,
    configuration: client.Configuration,
    namespaces: tuple[str, ...],
    started: Callable[[], None],
) -> None:
    """Watch until cancelled; raises WatchFailed.

    Calls `started` once kopf has replaced the process's signal handlers, so that the caller can restore its own.
    """

    async def login(**_: object) -> kopf.ConnectionInfo:
        return await credentials(configuration)

    kopf.on.login(registry=registry)(login)
    own = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry, settings=settings(), clusterwide=not namespaces, namespaces=namespaces, standalone=True
    )
    started()
    try:
        await kopf.run_tasks(tasks, ignored=own)
    except Exception as error:  # kopf's own errors have no public types; the cause is chained
        raise WatchFailed(f"a watch stopped: {error} (was the CRD or a right removed?)") from error


def settings() -> kopf.OperatorSettings:
    """Return kopf's settings: no peering, no events, no annotations, no rights except on the watched kinds."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True  # needs no rights on CRDs and namespaces; the manager waits for our CRD
    chosen.persistence.diffbase_storage = NoDiffs()
    chosen.networking.error_backoffs = RetryDelays()
    chosen.networking.connect_timeout = 10
    chosen.networking.request_timeout = 60
    chosen.watching.server_timeout = 600  # reopened every ten minutes, so that several API servers share them
    chosen.watching.chunk_size = PAGE
    chosen.queueing.exit_timeout = 0.1
    for resource in watched():
        if resource != TTS_SERVICE:
            chosen.watching.label_selectors[resource.api_version, resource.plural] = CHILD_SELECTOR
    return chosen


async def credentials(configuration: client.Configuration) -> kopf.ConnectionInfo:
    """Return the credentials of the operator's own client for kopf, with the current token."""
    scheme, _, token = (await configuration.get_api_key_with_prefix("BearerToken") or "").partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        scheme=scheme or None,
        token=token or None,
        proxy_url=configuration.proxy,
    )


class NoDiffs(kopf.DiffBaseStorage):
    """Stores no object's last state, which a level-triggered operator does not need.

    kopf's own stores copy every object of every event, even if no handler compares them.
    """

    def build(self, **_: object) -> kopf.BodyEssence:
        """Return nothing to compare."""
        return kopf.BodyEssence()

    def fetch(self, **_: object) -> kopf.BodyEssence | None:
        """Return nothing."""
        return None

    def store(self, **_: object) -> None:
        """Keep nothing."""


class RetryDelays:
    """Seconds between kopf's attempts. The sequence never ends, because an API server may be down for long."""

    def __iter__(self) -> Iterator[float]:
        """Yield the delays from the first."""
        yield from (1, 1, 2, 3, 5, 8, 13)
        while True:
            yield 20
