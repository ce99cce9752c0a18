"""One pass over one TTSService: read, plan, execute, observe, report.

A pass decides from what it sees, never from what has happened, so it may be cut off anywhere and run again anywhere.
What it reads comes from the cache; the API server is only asked to change something.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from ttsoperator import metrics as m
from ttsoperator.children.context import Context, Defaults
from ttsoperator.children.registry import CHILDREN, Child
from ttsoperator.kube.client import KubeClient
from ttsoperator.kube.errors import ApiError, Conflict
from ttsoperator.kube.manifest import Manifest, is_deleting
from ttsoperator.kube.snapshot import Ownership, Snapshot, ownership
from ttsoperator.metrics import Metrics
from ttsoperator.reconcile.executor import Executor, Outcome
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.plan import make_plan
from ttsoperator.reconcile.reporter import Reporter
from ttsoperator.reconcile.status import compute_status
from ttsoperator.reconcile.status.observed import Observed
from ttsoperator.spec import InvalidSpec, TTSService, parse
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import Retry

log = logging.getLogger(__name__)

FORMER_SECONDS = 2.0  # garbage collection of a former service's children takes about this long
TAKEN_SECONDS = 30.0  # a name that somebody else has may become free, and no watch shows it


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
        rows: Sequence[Child] = CHILDREN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cache = cache
        self._observer = observer
        self._executor = Executor(cluster, cache, self._check_leading, rows)
        self._reporter = Reporter(cluster, cache)
        self._defaults = defaults
        self._metrics = metrics
        self._may_write = may_write
        self._rows = rows
        self._now = now

    async def reconcile(self, key: Key) -> float | None:
        """Do one pass; return after how many seconds to look again, None: after the next watch event.

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
                log.debug("%s: the object was outdated, another pass follows: %s", key, error)
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
            self._finish(Outcome(), reported=await self._reporter.report(body, status, self._now()))
            return None
        context = Context(service, self._defaults, self._snapshot(key, service), dict(self._cache.missing))
        plan = make_plan(context, self._now(), self._rows)
        outcome = await self._executor.execute(service, plan)
        observed = Observed(
            snapshot=self._snapshot(key, service),
            desired=plan.desired,
            conflicts=outcome.conflicts,
            refusals=outcome.refusals,
            left_out=[*plan.left_out, *outcome.left_out],
        )
        observed, ask_again = await self._observer.complete(key, service, observed, previous)
        self._check_leading()
        status = compute_status(service, observed, previous, self._now())
        self._finish(outcome, reported=await self._reporter.report(body, status, self._now()))
        if outcome.refusals:
            raise Retry("the API server refused a child")
        if any(conflict.former for conflict in outcome.conflicts):
            return FORMER_SECONDS
        if outcome.conflicts:
            return TAKEN_SECONDS
        return min((s for s in (plan.requeue_after, ask_again) if s is not None), default=None)

    def _snapshot(self, key: Key, service: TTSService) -> Snapshot:
        children: dict[tuple[str, str], Manifest] = {}
        pods: list[Manifest] = []
        missing = {resource.kind for resource in self._cache.missing}
        for obj in self._cache.owned(key):
            if obj["kind"] in missing:
                continue  # outdated: its API may be gone, and the object with it
            if obj["kind"] == "Pod":
                pods.append(obj)
            elif ownership(obj, service) is Ownership.OURS:
                children[obj["kind"], obj["metadata"]["name"]] = obj
        return Snapshot(children, sorted(pods, key=lambda pod: str(pod["metadata"]["name"])))

    def _check_leading(self) -> None:
        if not self._may_write():
            raise Retry("another replica leads now")

    def _finish(self, outcome: Outcome, *, reported: bool) -> None:
        changed = m.CHANGED if outcome.wrote or reported else m.UNCHANGED
        self._metrics.passes.labels(m.REFUSED if outcome.blocked() else changed).inc()
