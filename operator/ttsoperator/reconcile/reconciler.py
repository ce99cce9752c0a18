"""One pass over one TTSService: read, plan, execute, observe, report.

A pass decides from what it sees, never from what has happened, so it may be cut off anywhere and run again anywhere.
What it reads comes from the cache; the API server is only asked to change something.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ttsoperator import metrics as m
from ttsoperator.children import Defaults
from ttsoperator.kube.client import AlreadyExists, ApiError, Conflict, KubeClient, NotFound, Unavailable
from ttsoperator.kube.manifest import Manifest, Ref, is_deleting, ref
from ttsoperator.kube.snapshot import Ownership, Snapshot, ownership
from ttsoperator.metrics import Metrics
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.plan import Action, Apply, Create, Delete, HandOverReplicas, Plan, make_plan
from ttsoperator.reconcile.reporter import Reporter
from ttsoperator.reconcile.status import compute_status
from ttsoperator.reconcile.status.observed import Conflict as NameTaken
from ttsoperator.reconcile.status.observed import Observed, Refusal
from ttsoperator.spec import InvalidSpec, TTSService, parse
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import Retry

log = logging.getLogger(__name__)

FORMER_SECONDS = 2.0  # garbage collection of a former service's children takes about this long


@dataclass
class _Outcome:
    """What came of a plan: `wrote` counts changes, the rest is what stood in the way."""

    wrote: int = 0
    conflicts: list[NameTaken] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def blocked(self) -> bool:
        return bool(self.conflicts or self.refusals)


class Reconciler:
    """Makes the cluster what TTSServices ask for; `may_write` is asked before every write."""

    def __init__(
        self,
        *,
        cluster: KubeClient,
        cache: Cache,
        observer: Observer,
        defaults: Defaults,
        metrics: Metrics,
        may_write: Callable[[], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._cache = cache
        self._observer = observer
        self._reporter = Reporter(cluster, cache)
        self._defaults = defaults
        self._metrics = metrics
        self._may_write = may_write
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        """Do one pass; return in how many seconds to look again, None when a watch will tell.

        Raises Retry where something failed that may work later; the queue backs off.
        """
        with self._metrics.timed_pass():
            body = self._cache.service(key)
            if body is None or is_deleting(body):  # owner references do the rest
                self._observer.forget(key)
                return None
            try:
                return await self._pass(key, body)
            except Conflict as error:
                log.debug("%s: outdated, again: %s", key, error)
                return 0.0
            except ApiError as error:
                log.warning("%s: %s", key, error)
                raise Retry(str(error), error.retry_after) from error

    async def _pass(self, key: Key, body: Manifest) -> float | None:
        previous: dict[str, Any] = body.get("status") or {}
        try:
            service = parse(body)
        except InvalidSpec as invalid:
            status = compute_status(invalid, Observed(Snapshot()), previous, self._now())
            self._finish(_Outcome(), reported=await self._reporter.report(body, status, self._now()))
            return None
        plan = make_plan(service, self._defaults, self._live(key, service), self._now())
        outcome = await self._execute(service, plan)
        observed = Observed(
            snapshot=self._live(key, service),
            desired=plan.desired,
            conflicts=outcome.conflicts,
            refusals=outcome.refusals,
        )
        observed, ask_again = await self._observer.complete(key, service, observed, previous)
        self._check_leading()
        status = compute_status(service, observed, previous, self._now())
        self._finish(outcome, reported=await self._reporter.report(body, status, self._now()))
        if any(conflict.former for conflict in outcome.conflicts):
            return FORMER_SECONDS
        if outcome.blocked():
            raise Retry("the API server refused a child")
        return min((s for s in (plan.requeue_after, ask_again) if s is not None), default=None)

    def _live(self, key: Key, service: TTSService) -> Snapshot:
        children: dict[tuple[str, str], Manifest] = {}
        pods: list[Manifest] = []
        for obj in self._cache.owned(key):
            if obj["kind"] == "Pod":
                pods.append(obj)
            elif ownership(obj, service) is Ownership.OURS:
                children[obj["kind"], obj["metadata"]["name"]] = obj
        return Snapshot(children, sorted(pods, key=lambda pod: str(pod["metadata"]["name"])))

    async def _execute(self, service: TTSService, plan: Plan) -> _Outcome:
        """Do the plan's actions in order up to the first that is refused."""
        outcome = _Outcome()
        for action in plan.actions:
            self._check_leading()
            target = _target(action)
            try:
                taken = await self._do(service, action)
            except (Unavailable, Conflict):
                raise
            except ApiError as error:
                log.warning(
                    "%s/%s: %s %s refused: %s", service.namespace, service.name, target.kind, target.name, error
                )
                outcome.refusals.append(Refusal(target.kind, target.name, error.message))
            else:
                if taken is None:
                    outcome.wrote += 1
                    continue
                outcome.conflicts.append(taken)
            break
        return outcome

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
            raise Conflict(error.status, f"{target.kind} {target.name} went away just now") from error

    async def _apply(self, manifest: Manifest) -> None:
        try:
            self._cache.put(await self._cluster.apply(manifest))
        except NotFound as error:
            raise Conflict(error.status, "it went away just now") from error

    def _check_leading(self) -> None:
        if not self._may_write():
            raise Retry("another replica leads now")

    def _finish(self, outcome: _Outcome, *, reported: bool) -> None:
        changed = m.CHANGED if outcome.wrote or reported else m.UNCHANGED
        self._metrics.passes.labels(m.REFUSED if outcome.blocked() else changed).inc()


def _target(action: Action) -> Ref:
    match action:
        case Create(manifest) | Apply(manifest):
            return ref(manifest)
        case HandOverReplicas(target, _) | Delete(target, _):
            return target


def describe(action: Action) -> str:
    """Say in a log line what an action does."""
    target = _target(action)
    what = f"{target.kind} {target.name}"
    match action:
        case Create():
            return f"create {what}"
        case Apply():
            return f"apply {what}"
        case Delete(_, reason):
            return f"delete {what}: {reason}"
        case HandOverReplicas(_, replicas):
            return f"hand over {replicas} replicas of {what}"
