"""The registry: one more row adds a child, and the component identifies a child."""

import copy
from typing import Any

from tests.support.operator.world import World, service, summary
from ttsoperator.children.context import Context
from ttsoperator.children.registry import CHILDREN, Child, optional, plurals, watched
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.kube.resources import NOT_CHILDREN, Resource
from ttsoperator.names import Component
from ttsoperator.reconcile.actions import Delete, HandOverReplicas

DEPLOYMENT = Resource("Deployment", "apps/v1", "deployments")
GADGET = Resource("Gadget", "gadgets.example/v1", "gadgets", optional=True)


def build(context: Context) -> Manifest | None:
    """A Deployment beside the workers', for services that ask for three workers or more."""
    if context.service.spec.replicas < 3 and context.service.spec.autoscaling is None:
        return None
    labelled = metadata(context.service, f"{context.service.name}-helper", Component.MODEL)
    spec = {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": []}}}
    return with_applied_hash({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": labelled, "spec": spec})


HELPER = Child(DEPLOYMENT, Component.MODEL, "a helper", build)
ROWS = (HELPER, *CHILDREN)
"""The other Deployment comes first, where whoever takes the first one would find it."""


def helped(**spec: Any) -> World:
    world = World(ROWS)
    world.settle(service(**spec))
    return world


def test_every_row_has_a_kind_and_component_of_its_own() -> None:
    assert len({(row.resource.kind, row.component) for row in CHILDREN}) == len(CHILDREN)


def test_every_kind_is_of_one_api() -> None:
    """The store, the URL paths and the plan know a kind by its name alone."""
    resources = {*NOT_CHILDREN, *(row.resource for row in CHILDREN)}
    assert len({resource.kind for resource in resources}) == len(resources)


def test_what_is_derived_from_a_row() -> None:
    rows = (*CHILDREN, HELPER, Child(GADGET, Component.WORKER, "fun", lambda _: None))
    assert watched(rows) == watched(), "one watch serves two rows of a kind, and an optional kind has none"
    assert [resource.kind for resource in watched()].count("Deployment") == 1
    assert (optional(rows), optional()) == ([GADGET], [])
    assert plurals(rows) == plurals() | {"Gadget": "gadgets"}


def test_two_deployments_are_distinguished_by_component() -> None:
    world = helped(replicas=3)
    assert {name for kind, name in world.children if kind == "Deployment"} == {"english", "english-helper"}
    world.children["Deployment", "english-helper"]["spec"]["replicas"] = 9
    assert summary(world.step(service(replicas=3))) == ["apply Deployment"]
    assert world.children["Deployment", "english-helper"]["spec"]["replicas"] == 1


def test_the_autoscaler_is_for_the_workers_alone() -> None:
    world = helped(replicas=3)
    plan = world.step(service(generation=2, replicas=3, autoscaling={"minReplicas": 2}))
    assert [action.deployment.name for action in plan.actions if isinstance(action, HandOverReplicas)] == ["english"]
    assert world.children["Deployment", "english-helper"]["spec"]["replicas"] == 1


def test_the_status_is_the_workers() -> None:
    world, wanted = helped(replicas=3), service(replicas=3)
    world.children["Deployment", "english-helper"]["status"] = {"replicas": 7, "readyReplicas": 7}
    assert world.status(wanted)["replicas"] == 0


def test_only_the_unwanted_one_is_pruned() -> None:
    world = helped(replicas=3)
    plan = world.step(service(generation=2, replicas=2))
    deleted = [action for action in plan.actions if isinstance(action, Delete)]
    assert [(action.ref.name, action.reason) for action in deleted] == [
        ("english-helper", "the spec no longer needs it")
    ]
    assert ("Deployment", "english") in world.children


def test_an_object_without_a_known_component_stays_unchanged() -> None:
    world = helped(replicas=3)
    stranger = copy.deepcopy(world.children["Deployment", "english-helper"])
    stranger["metadata"] |= {"name": "stranger", "labels": {}}
    world.children["Deployment", "stranger"] = stranger
    assert world.plan(service(replicas=3)).actions == ()
