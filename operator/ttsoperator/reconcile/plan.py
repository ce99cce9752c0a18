"""The writes that bring the cluster to the spec: a pure function of the spec and the snapshot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.children.registry import CHILDREN, Child, desired_children
from ttsoperator.kube.manifest import Manifest, annotations, component_of, identified, is_deleting, ref
from ttsoperator.names import Component
from ttsoperator.reconcile.actions import Action, Apply, Create, HandOverReplicas, replace
from ttsoperator.reconcile.downloads import download_actions
from ttsoperator.reconcile.drift import differs
from ttsoperator.reconcile.prune import prune
from ttsoperator.reconcile.status.observed import LeftOut
from ttsoperator.spec.autoscaling import Autoscaling


@dataclass(frozen=True)
class Plan:
    """Actions to do in order, what is wanted, and when to look again.

    `desired` goes into `observed.Observed`; `requeue_after` is in seconds, None: after the next watch event.
    """

    actions: tuple[Action, ...]
    desired: tuple[Manifest, ...]
    requeue_after: float | None = None
    left_out: tuple[LeftOut, ...] = ()
    """Children that the service wants, and whose API is missing."""


def make_plan(context: Context, now: datetime, rows: Sequence[Child] = CHILDREN) -> Plan:
    """Compare what the service wants with the snapshot; an empty plan means the cluster is as wanted.

    Of a service that is being deleted nothing is written: garbage collection takes its children.
    """
    if context.service.deleting:
        return Plan((), ())
    built = desired_children(context, rows)
    desired = [(row, manifest) for row, manifest in built if row.resource not in context.missing]
    names_wanted = {(manifest["kind"], manifest["metadata"]["name"]) for _, manifest in desired}
    actions: list[Action] = list(prune(context, names_wanted, rows, deleted_first=True))
    requeue_after = None
    for row, manifest in desired:
        if _is(manifest, "Job", Component.MODEL):
            job_actions, requeue_after = download_actions(context, manifest, now)
            actions += job_actions
        else:
            actions += _child(context, row, manifest)
    actions += prune(context, names_wanted, rows, deleted_first=False)
    left_out = [
        LeftOut(manifest["kind"], manifest["metadata"]["name"], context.missing[row.resource])
        for row, manifest in built
        if row.resource in context.missing
    ]
    return Plan(tuple(actions), tuple(manifest for _, manifest in desired), requeue_after, tuple(left_out))


def _child(context: Context, row: Child, manifest: Manifest) -> Iterator[Action]:
    there = context.snapshot.get(manifest["kind"], manifest["metadata"]["name"])
    autoscaling = _scaled_by(context, manifest)
    if there is None:
        yield Create(manifest)
        if autoscaling is not None and autoscaling.min_replicas > 1:
            yield HandOverReplicas(ref(manifest), autoscaling.min_replicas)
    elif is_deleting(there) or not differs(manifest, there, row.merge_keys):
        return
    elif there.get("immutable") and there.get("data") != manifest.get("data"):
        yield from replace(there, manifest, "its content differs and is immutable")
    else:
        if autoscaling is not None and annotations(there).get(names.SCALED_BY) != "autoscaler":
            yield HandOverReplicas(ref(there), max(there["spec"].get("replicas", 1), autoscaling.min_replicas))
        yield Apply(identified(manifest, there))


def _scaled_by(context: Context, manifest: Manifest) -> Autoscaling | None:
    """Return what scales the child: the autoscaler is for the workers alone."""
    return context.service.spec.autoscaling if _is(manifest, "Deployment", Component.WORKER) else None


def _is(manifest: Manifest, kind: str, component: Component) -> bool:
    return manifest["kind"] == kind and component_of(manifest) == component.value
