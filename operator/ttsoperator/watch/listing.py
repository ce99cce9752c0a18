"""Listing everything that is watched: before the first pass, and now and then again.

The first time makes the cache complete, so that a pass never takes a child for missing that was only not heard of yet.
Later times find what a watch lost: after a long interruption kopf lists anew, and does not notice what is gone from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from ttsoperator.children.registry import CHILDREN, Child, watched
from ttsoperator.kube.client import ApiError, KubeClient, Refused, Unavailable
from ttsoperator.kube.resources import TTS_SERVICE, Resource
from ttsoperator.names import CHILD_SELECTOR
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import WorkQueue

log = logging.getLogger(__name__)

CRD_SECONDS = 3.0
REMIND_TRIES = 10
RESYNC_SECONDS = (30.0, 300.0)  # the first soon, for what happened between our list and the watches' beginning


class Forbidden(Exception):
    """The operator lacks a right without which it cannot work; the message names it."""


async def wait_for_crd(cluster: KubeClient, namespace: str | None) -> None:
    """Return once the API server serves TTSServices, saying now and then what is waited for."""
    attempt = 0
    while True:
        try:
            await cluster.list_objects(TTS_SERVICE.api_version, TTS_SERVICE.kind, namespace, limit="1")
            return
        except Unavailable as error:
            problem = f"the API server: {error}"
        except Refused as error:
            if error.status != 404:
                return  # it is there; what we may do with it, the lists will tell
            problem = f"the CRD {TTS_SERVICE}: install the chart, or kubectl apply -f crds/"
        if attempt % REMIND_TRIES == 0:
            log.warning("waiting for %s", problem)
        attempt += 1
        await asyncio.sleep(CRD_SECONDS)


class Syncer:
    """Brings the cache up to date by lists."""

    def __init__(
        self,
        cluster: KubeClient,
        cache: Cache,
        queue: WorkQueue[Key],
        namespaces: tuple[str, ...],
        rows: Sequence[Child] = CHILDREN,
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._queue = queue
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)
        self._watched = watched(rows)
        self.synced = False

    async def sync(self) -> None:
        """List everything once and wake what changed; raises ApiError, Forbidden."""
        for resource in self._watched:
            try:
                await self._list(resource)
            except Refused as error:
                raise Forbidden(f"{error.message} (the chart's roles allow it)") from error
        self.synced = True

    async def run(self) -> None:
        """List again and again until cancelled."""
        first, later = RESYNC_SECONDS
        delay = first
        while True:
            await asyncio.sleep(delay)
            delay = later
            try:
                await self.sync()
            except (ApiError, Forbidden) as error:
                log.warning("listing again failed: %s", error)

    async def _list(self, resource: Resource) -> None:
        selectors = {} if resource == TTS_SERVICE else {"labelSelector": CHILD_SELECTOR}
        for namespace in self._namespaces:
            found, version = await self._cluster.list_objects(
                resource.api_version, resource.kind, namespace, **selectors
            )
            for key in self._cache.replace(resource.kind, namespace, found, version):
                self._queue.add(key)
