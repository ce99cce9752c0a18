"""Pruning of children that lost their component label, by which the operator tells the rows of a kind apart."""

import pytest

from tests.support.operator.world import World, downloaded, running, service, summary
from ttsoperator.children.context import Context
from ttsoperator.children.registry import CHILDREN, Child
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.resources import Resource
from ttsoperator.names import LABEL_COMPONENT, Component

HPA = "HorizontalPodAutoscaler"


def autoscaled(*others: Child) -> World:
    """A world whose registry has further rows, and a service with an HPA in it."""
    world = World((*CHILDREN, *others))
    world.settle(service(autoscaling={}))
    return world


def second_row(reason: str | None) -> Child:
    """Another row of the HPA's kind: it builds nothing, and lets a child go for `reason`."""

    def unwanted(_manifest: Manifest, _context: Context) -> str | None:
        return reason

    return Child(Resource(HPA, "autoscaling/v2", "hpas"), Component.MODEL, "more", lambda _: None, unwanted)


def unlabel(*children: Manifest) -> None:
    for child in children:
        del child["metadata"]["labels"][LABEL_COMPONENT]


def test_it_is_pruned_when_it_becomes_unwanted_at_that_moment() -> None:
    world, wanted = running(autoscaling={}), service(generation=2)
    unlabel(world.one(HPA), world.one("Job"), world.one("PersistentVolumeClaim"), world.one("ConfigMap"))
    assert summary(world.step(wanted)) == [f"delete {HPA}", "create ConfigMap", "apply Deployment", "delete Job"]
    assert world.plan(wanted).actions == (), "the old workers still have the volume and the ConfigMap mounted"
    world.run_workers()
    assert summary(world.step(wanted)) == ["delete PersistentVolumeClaim", "delete ConfigMap"]
    assert world.plan(wanted).actions == ()


def test_it_gets_the_label_back_while_it_is_wanted() -> None:
    world = autoscaled()
    unlabel(world.one(HPA))
    assert summary(world.step(service(autoscaling={}))) == [f"apply {HPA}"]
    assert world.one(HPA)["metadata"]["labels"][LABEL_COMPONENT] == Component.WORKER


def test_workers_stay_while_no_model_is_published() -> None:
    world = running()
    unlabel(world.one("Deployment"))
    world.settle(downloaded(generation=2, source="https://models.example.com/new.onnx"))
    assert "Deployment" in world.kinds()


def test_a_retained_volume_stays() -> None:
    world = running(storage={"reclaimPolicy": "Retain"})
    unlabel(world.one("PersistentVolumeClaim"))
    world.settle(service(generation=2))
    world.run_workers()
    world.settle(service(generation=2))
    assert "PersistentVolumeClaim" in world.kinds()


@pytest.mark.parametrize(("reason", "deleted"), [("not wanted", [f"delete {HPA}"]), (None, [])])
def test_all_rows_of_its_kind_must_let_it_go(reason: str | None, deleted: list[str]) -> None:
    world = autoscaled(second_row(reason))
    unlabel(world.one(HPA))
    assert summary(world.step(service(generation=2))) == [*deleted, "apply Deployment"]


def test_a_child_of_a_component_that_this_release_does_not_know_stays() -> None:
    world = autoscaled()
    world.one(HPA)["metadata"]["labels"][LABEL_COMPONENT] = "of-a-newer-release"
    world.settle(service(generation=2))
    assert HPA in world.kinds()
