"""Doing a plan's actions: the writes, whose answers go into the cache, and what stood in their way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ttsoperator.kube.client import AlreadyExists, ApiError, Conflict, KubeClient, NotFound, Refused, Unavailable
from ttsoperator.kube.manifest import Manifest, Ref, is_deleting, ref
from ttsoperator.kube.snapshot import Ownership, ownership
from ttsoperator.reconcile.actions import Action, Apply, Create, Delete, HandOverReplicas, describe, target_of
from ttsoperator.reconcile.plan import Plan
from ttsoperator.reconcile.status.observed import Conflict as NameTaken
from ttsoperator.reconcile.status.observed import LeftOut, Refusal
from ttsoperator.spec import TTSService
from ttsoperator.watch.store import Cache

log = logging.getLogger(__name__)


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

    `optional` are the kinds whose API may be removed at any time. No other child waits for one of theirs: a pass that
    finds an API gone, or is refused such a child, does the other actions. The next listing finds the API gone too.
    """

    def __init__(
        self, cluster: KubeClient, cache: Cache, check_leading: Callable[[], None], optional: Collection[str] = ()
    ) -> None:
        self._optional = optional
        self._cluster = cluster
        self._cache = cache
        self._check_leading = check_leading

    async def execute(self, service: TTSService, plan: Plan) -> Outcome:
        """Do the plan's actions in order up to the first that is refused, a child of an optional kind excepted.

        Raises Unavailable, Conflict and what `check_leading` raises.
        """
        outcome = Outcome()
        for action in plan.actions:
            self._check_leading()
            target = target_of(action)
            try:
                taken = await self._do(service, action)
            except (Unavailable, Conflict):
                raise
            except ApiError as error:
                if self._is_api_gone(target, error):
                    if not isinstance(action, Delete):
                        outcome.left_out.append(LeftOut(target.kind, target.name, error.message))
                    continue
                log.warning(
                    "%s/%s: %s %s refused: %s", service.namespace, service.name, target.kind, target.name, error
                )
                outcome.refusals.append(Refusal(target.kind, target.name, error.message))
            else:
                if taken is None:
                    outcome.wrote += 1
                    continue
                outcome.conflicts.append(taken)
            if target.kind not in self._optional:
                break
        return outcome

    def _is_api_gone(self, target: Ref, error: ApiError) -> bool:
        return target.kind in self._optional and isinstance(error, Refused) and error.status == 404

    async def _do(self, service: TTSService, action: Action) -> NameTaken | None:
        log.info("%s/%s: %s", service.namespace, service.name, describe(action))
        match action:
            case Create(manifest):
                return await self._create(service, manifest)
            case Apply(manifest):
                await self._apply(manifest)
            case HandOverReplicas(deployment, replicas):
                self._cache.put(await self._cluster.hand_over_replicas(deployment, replicas))
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
                await self._apply(manifest)
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

    async def _apply(self, manifest: Manifest) -> None:
        try:
            self._cache.put(await self._cluster.apply(manifest))
        except NotFound as error:
            raise Conflict(error.status, "it was just deleted") from error
