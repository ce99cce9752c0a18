"""List all watched kinds: before the first pass, and then periodically.

The first list completes the cache, so that a pass never mistakes a child for missing whose event has not arrived yet.
Later lists find what a watch lost: after a long interruption kopf lists again, but does not notice deleted objects.

The operator lists optional kinds here instead of watching them, because kopf stops for good when the API of a watched
kind is removed. So the operator notices a change of theirs, or of their API, within half a minute, with the next list.
It does the same for a chosen namespace that it may not list at the start, because it was deleted or its RoleBinding is
missing: the other namespaces are served, and this one as soon as the lists succeed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterable, Sequence

from ttsoperator.children.registry import CHILDREN, Child, optional, watched
from ttsoperator.kube.client import KubeClient
from ttsoperator.kube.errors import ApiError, Refused, Unavailable
from ttsoperator.kube.resources import TTS_SERVICE, Resource
from ttsoperator.names import CHILD_SELECTOR
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import WorkQueue

log = logging.getLogger(__name__)

CRD_SECONDS = 3.0
REMIND_TRIES = 10
LIST_SECONDS = 30.0
RESYNC_LISTS = 10  # of the watched kinds; the first soon, to find changes between our list and the watches' start


class Forbidden(Exception):
    """The API server refuses a list without which the operator cannot work; the message names the kind and says why."""


async def wait_for_crd(cluster: KubeClient, namespace: str | None) -> None:
    """Return once the API server serves TTSServices; until then log at intervals what the operator waits for."""
    attempt = 0
    while True:
        try:
            await cluster.list_objects(TTS_SERVICE.api_version, TTS_SERVICE.kind, namespace, limit="1")
            return
        except Unavailable as error:
            problem = f"the API server: {error}"
        except Refused as error:
            if error.status != 404:
                return  # the CRD exists; the lists will check our rights
            problem = f"the CRD {TTS_SERVICE}: install the chart, or kubectl apply -f crds/"
        if attempt % REMIND_TRIES == 0:
            log.warning("waiting for %s", problem)
        attempt += 1
        await asyncio.sleep(CRD_SECONDS)


class Syncer:
    """Updates the cache by lists."""

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
        self._refused: dict[str | None, str] = {}
        self._unwatched: list[str | None] = []
        self._watched = watched(rows)
        self._optional = optional(rows)
        self.synced = False

    async def sync(self) -> None:
        """List everything once and add changed services to the queue; raises ApiError, Forbidden.

        An optional kind that cannot be listed raises neither error, and neither does a namespace unless it is the last.
        """
        await self._sync_namespaces(self._namespaces)
        if len(self._refused) == len(self._namespaces):
            raise Forbidden(next(iter(self._refused.values())))
        if not self.synced:
            self._unwatched = list(self._refused)
        await self._sync_optional()
        self.synced = True

    def watched_namespaces(self) -> tuple[str, ...]:
        """Return the namespaces to watch, empty for all: the chosen ones without those that were refused at the start.

        kopf stops for good when it is refused a watch.
        """
        return tuple(each for each in self._namespaces if each is not None and each not in self._unwatched)

    async def run(self) -> None:
        """List periodically until cancelled: what is watched every tenth time, everything else each time."""
        for number in itertools.count():
            await asyncio.sleep(LIST_SECONDS)
            try:
                if number % RESYNC_LISTS == 0:
                    await self.sync()
                else:
                    await self._sync_namespaces(self._unwatched)
                    await self._sync_optional()
            except (ApiError, Forbidden) as error:
                log.warning("the periodic list failed: %s", error)

    async def _sync_namespaces(self, namespaces: Iterable[str | None]) -> None:
        """List the watched kinds of some namespaces, and note which of these the API server refuses.

        TTSServices come last: one whose children cannot be listed must not look as if it had none.
        """
        for namespace in namespaces:
            try:
                for resource in reversed(self._watched):
                    await self._list(resource, namespace)
            except Refused as error:
                hint = " (the chart's roles allow it)" if error.status == 403 else ""
                problem = f"cannot list {resource}: {error.message}{hint}"
                if namespace is not None and namespace not in self._refused:
                    log.warning("skipping the namespace %s: %s", namespace, problem)
                self._refused[namespace] = problem
            else:
                if self._refused.pop(namespace, None):
                    log.info("serving the namespace %s now", namespace)

    async def _sync_optional(self) -> None:
        for resource in self._optional:
            await self._update_optional(resource)

    async def _update_optional(self, resource: Resource) -> None:
        """List an optional kind if its API exists; add every service to the queue if that changed."""
        try:
            problem = await self._list_optional(resource)
        except Unavailable as error:
            log.warning("cannot list %s: %s", resource, error)
            if self.synced:
                return  # the cached objects stay until the next list
            problem = f"the operator cannot list {resource} yet: {error}"
        if problem == self._cache.missing.get(resource):
            return
        if problem is None:
            log.info("%s is usable now", resource)
            del self._cache.missing[resource]
        else:
            log.info("%s: %s", resource, problem)
            self._cache.missing[resource] = problem
        for key in self._cache.services():
            self._queue.add(key)

    async def _list_optional(self, resource: Resource) -> str | None:
        """List the kind; return None, or the reason why it cannot be used; raises Unavailable."""
        try:
            if resource.kind not in await self._cluster.served_kinds(resource.api_version):
                return f"the cluster does not serve {resource.kind} of {resource.api_version}"
            for namespace in self._namespaces:
                if namespace not in self._refused:
                    await self._list(resource, namespace)
        except Unavailable:
            raise
        except ApiError as error:
            if error.status >= 500:  # the add-on's conversion webhook, or etcd: that does not make the API missing
                raise Unavailable(error.status, error.message) from error
            return f"the operator cannot list {resource}: {error.message}"
        return None

    async def _list(self, resource: Resource, namespace: str | None) -> None:
        selectors = {} if resource == TTS_SERVICE else {"labelSelector": CHILD_SELECTOR}
        found, version = await self._cluster.list_objects(resource.api_version, resource.kind, namespace, **selectors)
        for key in self._cache.replace(resource.kind, namespace, found, version):
            self._queue.add(key)
