"""What the operator renders for a service whose model is downloaded."""

from typing import Any

from tests.support.operator.world import DEFAULTS, START, World, downloaded
from ttsoperator.children.context import Context, Defaults
from ttsoperator.kube.manifest import Manifest
from ttsoperator.reconcile.plan import make_plan


def children(defaults: Defaults = DEFAULTS, **spec: Any) -> dict[str, Manifest]:
    """Everything rendered for a downloaded model that is there."""
    world, wanted = World(), downloaded(**spec)
    world.step(wanted)
    world.finish_job()
    plan = make_plan(Context(wanted, defaults, world.live), START)
    return {manifest["kind"]: manifest for manifest in plan.desired}


def pod(kind: str, **spec: Any) -> Manifest:
    found: Manifest = children(**spec)[kind]["spec"]["template"]["spec"]
    return found


def container(kind: str, **spec: Any) -> Manifest:
    [found] = pod(kind, **spec)["containers"]
    return dict(found)
