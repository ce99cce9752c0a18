"""Doing a plan's actions: the writes, whose answers go into the cache, and what stood in their way."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ttsoperator.children.registry import CHILDREN, Child
from ttsoperator.kube.client import INVALID, KubeClient
from ttsoperator.kube.errors import AlreadyExists, ApiError, Conflict, NotFound, Refused, Unavailable
from ttsoperator.kube.manifest import Manifest, Ref, identified, is_deleting, ref
from ttsoperator.kube.snapshot import Ownership, ownership
from ttsoperator.reconcile.actions import Action, Adopt, Apply, Create, Delete, HandOverReplicas, describe, target_of
from ttsoperator.reconcile.plan import Plan
from ttsoperator.reconcile.status.observed import Conflict as NameTaken
from ttsoperator.reconcile.status.observed import LeftOut, Refusal
from ttsoperator.spec import TTSService
from ttsoperator.watch.store import Cache

log = logging.getLogger(__name__)


IMMUTABLE = frozenset({"Job"})
"""Kinds whose spec the API server lets nobody change: an apply of another one is refused for ever."""


@dataclass
class Outcome:
    """What came of a plan: `wrote` counts changes, the rest is what stood in the way."""

    wrote: int = 0
    conflicts: list[NameTaken] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def blocked(self) -> bool:
        """Return whether a child could not be written."""
        return bool(self.conflicts or self.refusals)


class Executor:
    """Writes children; `check_leading` is called before every write and raises where this replica may not write.

    A refused write stops only what depends on it: further writes of the same object, and, by the `rows`, the children
    that need an object which could not be created or deleted. A refused change of an existing object stops nobody else.
    """

    def __init__(
        self, cluster: KubeClient, cache: Cache, check_leading: Callable[[], None], rows: Iterable[Child] = CHILDREN
    ) -> None:
        self._optional = {row.resource.kind for row in rows if row.resource.optional}
        self._needs: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            self._needs[row.resource.kind] |= set(row.needs)
        self._cluster = cluster
        self._cache = cache
        self._check_leading = check_leading

    async def execute(self, service: TTSService, plan: Plan) -> Outcome:
        """Do the plan's actions in order, without those that depend on one that is refused.

        Raises Unavailable, Conflict and what `check_leading` raises.
        """
        outcome = Outcome()
        refused: set[tuple[str, str]] = set()
        missing: set[str] = set()
        for action in plan.actions:
            target = target_of(action)
            if (target.kind, target.name) in refused or self._needs[target.kind] & missing:
                continue
            self._check_leading()
            if not await self._attempt(service, action, outcome):
                refused.add((target.kind, target.name))
                if isinstance(action, Create | Delete):
                    missing.add(target.kind)
        return outcome

    async def _attempt(self, service: TTSService, action: Action, outcome: Outcome) -> bool:
        """Do one action and note what came of it; return whether it was done."""
        target = target_of(action)
        try:
            conflict = await self._do(service, action)
        except (Unavailable, Conflict):
            raise
        except ApiError as error:
            if self._is_api_gone(target, error):  # the next listing finds it gone too
                if not isinstance(action, Delete):
                    outcome.left_out.append(LeftOut(target.kind, target.name, error.message))
            else:
                log.warning(
                    "%s/%s: %s %s refused: %s", service.namespace, service.name, target.kind, target.name, error
                )
                outcome.refusals.append(Refusal(target.kind, target.name, error.message))
            return False
        if conflict is not None:
            outcome.conflicts.append(conflict)
            return False
        outcome.wrote += 1
        return True

    def _is_api_gone(self, target: Ref, error: ApiError) -> bool:
        return target.kind in self._optional and isinstance(error, Refused) and error.status == 404

    async def _do(self, service: TTSService, action: Action) -> NameTaken | None:
        log.info("%s/%s: %s", service.namespace, service.name, describe(action))
        match action:
            case Create(manifest):
                return await self._create(service, manifest)
            case Apply(manifest):
                await self._apply(manifest)
            case Adopt(target, manifest):
                await self._adopt(target, manifest)
            case HandOverReplicas(deployment, replicas):
                await self._hand_over(deployment, replicas)
            case Delete(target):
                remains = await self._cluster.delete(target)
                if remains is not None:
                    self._cache.put(remains)
                else:
                    self._cache.drop_gone(target)
        return None

    async def _create(self, service: TTSService, manifest: Manifest) -> NameTaken | None:
        target = ref(manifest)
        try:
            self._cache.put(await self._cluster.create(manifest))
            return None
        except AlreadyExists:
            found = await self._existing(target)
        match ownership(found, service):
            case Ownership.OURS if not is_deleting(found):  # its labels were removed, so no watch showed it
                if target.kind in IMMUTABLE:
                    await self._adopt(ref(found), manifest)  # the next pass decides about the rest
                else:
                    await self._apply(identified(manifest, found))
                return None
            case Ownership.FOREIGN:
                return NameTaken(target.kind, target.name)
            case _:
                return NameTaken(target.kind, target.name, former=True)

    async def _existing(self, target: Ref) -> Manifest:
        try:
            return await self._cluster.get(target)
        except NotFound as error:
            raise Conflict(error.status, f"{target.kind} {target.name} was just deleted") from error

    async def _hand_over(self, deployment: Ref, replicas: int) -> None:
        try:
            self._cache.put(await self._cluster.hand_over_replicas(deployment, replicas))
        except (NotFound, Conflict) as error:
            raise self._outdated(deployment, error) from error

    async def _adopt(self, target: Ref, manifest: Manifest) -> None:
        wanted = manifest["metadata"]
        adopted = {"uid": target.uid, "labels": wanted["labels"], "ownerReferences": wanted["ownerReferences"]}
        try:
            self._cache.put(await self._cluster.patch(target, {"metadata": adopted}))
        except NotFound as error:
            raise self._outdated(target, error) from error

    async def _apply(self, manifest: Manifest) -> None:
        """Apply; where that is invalid with what others put into the object's lists, replace these lists first.

        Server-side apply merges a list by the keys of its items. Somebody who edited the key of our item, such as a
        port's number, made an item of their own, and the two together may be invalid. A merge patch (RFC 7386) writes
        lists as one value.
        """
        target = ref(manifest)
        try:
            try:
                self._cache.put(await self._cluster.apply(manifest))
            except Refused as error:
                if error.status != INVALID:
                    raise
                log.warning("%s %s: replacing its lists, as an apply is refused: %s", target.kind, target.name, error)
                try:
                    await self._cluster.patch(target, manifest)
                except Refused as still:
                    raise error from still
                self._cache.put(await self._cluster.apply(manifest))
        except NotFound as error:
            raise self._outdated(target, error) from error

    def _outdated(self, target: Ref, error: ApiError) -> Conflict:
        """Forget an object that is gone, also where a watch is down: the next pass must not try it again."""
        self._cache.drop_gone(target)
        return Conflict(error.status, f"{target.kind} {target.name} was just deleted")
