"""Whatever is asked for, and whatever has happened: a few passes end it, and then nothing is left to write."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.operator.world import HTTPS, SHA, World, downloaded, running, service, summary
from ttsoperator.children.registry import CHILDREN
from ttsoperator.reconcile.drift import differs
from ttsoperator.spec import TTSService

MODELS: list[dict[str, Any]] = [
    {"model": {"source": "builtin://hibari"}},
    {"engine": "hibari", "model": {"source": HTTPS}},
    {"engine": "coqui", "model": {"source": HTTPS, "sha256": SHA}},
    {"engine": "coqui", "model": {"source": "https://models.example.com/b.tar"}, "storage": {"size": "1Gi"}},
    {"engine": "hibari", "model": {"source": HTTPS}, "storage": {"reclaimPolicy": "Retain"}},
]
OPTIONS: list[dict[str, Any]] = [
    {"replicas": 0},
    {"replicas": 3},
    {"autoscaling": {}},
    {"autoscaling": {"minReplicas": 2}},
    {"gpu": {"count": 2}},
    {"resources": {"requests": {"cpu": "1000m"}, "limits": {"cpu": 2}}},
    {"service": {"type": "NodePort", "annotations": {"a": ""}}},
    {"podTemplate": {"nodeSelector": {"a": ""}, "env": [{"name": "A", "value": ""}], "tolerations": []}},
]

specs = st.builds(
    lambda model, *options: {key: value for part in (model, *options) for key, value in part.items()},
    st.sampled_from(MODELS),
    st.sampled_from([{}, *OPTIONS]),
    st.sampled_from([{}, *OPTIONS]),
)


def _deletes_one(world: World) -> None:
    """A child, another one in each state of the world."""
    if world.children:
        there = sorted(world.children)
        world.children.pop(there[sum(len(name) for _, name in there) % len(there)])


def _deletes_the_workload(world: World) -> None:
    for key in [key for key in world.children if key[0] in {"Deployment", "PersistentVolumeClaim"}]:
        world.children.pop(key)


def _fails_the_job(world: World) -> None:
    if "Job" in world.kinds() and world.kinds().count("Job") == 1:
        world.fail_job()


def _finishes_the_job(world: World) -> None:
    if world.kinds().count("Job") == 1:
        world.finish_job()


def _runs_workers(world: World) -> None:
    if "Deployment" in world.kinds():
        world.run_workers(2)


def _scales(world: World) -> None:
    if {"Deployment", "HorizontalPodAutoscaler"} <= set(world.kinds()):
        world.scale(5)


def _waits(world: World) -> None:
    world.after(400)


happenings: st.SearchStrategy[Callable[[World], None]] = st.sampled_from(
    [_deletes_one, _deletes_the_workload, _fails_the_job, _finishes_the_job, _runs_workers, _scales, _waits]
)


def _story(steps: list[tuple[dict[str, Any], list[Callable[[World], None]], int]]) -> tuple[World, TTSService]:
    """Specs one after the other; things happen in between, and the operator dies after some write of each pass."""
    world, wanted = World(), service()
    for generation, (spec, happened, writes) in enumerate(steps, start=1):
        wanted = service(generation=generation, **spec)
        for action in world.plan(wanted).actions[:writes]:
            world.carry_out(action)
        for happening in happened:
            happening(world)
    return world, wanted


stories = st.lists(st.tuples(specs, st.lists(happenings, max_size=4), st.integers(0, 9)), min_size=1, max_size=4).map(
    _story
)


@settings(max_examples=60, deadline=None)
@given(stories)
def test_after_a_plan_nothing_is_left_to_do(story: tuple[World, TTSService]) -> None:
    world, wanted = story
    world.settle(wanted)
    plan = world.plan(wanted)
    keys = {row.resource.kind: row.merge_keys for row in CHILDREN}
    for manifest in plan.desired:
        kind = manifest["kind"]
        if kind != "Job":
            assert not differs(manifest, world.children[kind, manifest["metadata"]["name"]], keys[kind])


@settings(max_examples=60, deadline=None)
@given(stories)
def test_a_status_computed_twice_is_the_same(story: tuple[World, TTSService]) -> None:
    world, wanted = story
    world.settle(wanted)
    first = world.status(wanted)
    world.after(60)
    assert world.status(wanted, first) == first


@settings(max_examples=40, deadline=None)
@given(stories)
def test_workers_once_there_never_go_while_the_service_lives(story: tuple[World, TTSService]) -> None:
    world, wanted = story
    if "Deployment" in world.kinds():
        before = world.one("Deployment")["metadata"]["uid"]
        world.settle(wanted)
        assert world.one("Deployment")["metadata"]["uid"] == before


@settings(max_examples=40, deadline=None)
@given(stories)
def test_planning_does_not_modify_its_input(story: tuple[World, TTSService]) -> None:
    world, wanted = story
    live = world.live
    world.plan(wanted)
    assert live == world.live


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["starts", "ends", "is deleted", "is gone"]), st.booleans(), st.integers(0, 3)),
        max_size=12,
    )
)
def test_workers_that_come_and_go_change_the_strategy_at_most_once_each(
    happened: list[tuple[str, bool, int]],
) -> None:
    """While a service gets GPUs, its workers are of two kinds; and no change of the strategy touches the template."""
    world, wanted = running(), downloaded(generation=2, gpu={"count": 1})
    without_gpu = world.one("Deployment")["spec"]["template"]["spec"]
    world.settle(wanted)
    template = world.one("Deployment")["spec"]["template"]
    for what, has_gpu, number in happened:
        name = f"worker-{number}"
        if what == "starts":
            pod = world.add_worker(name, ready=True)
            pod["spec"] = pod["spec"] if has_gpu else without_gpu
        elif name not in world.pods:
            continue
        elif what == "is gone":
            del world.pods[name]
        elif what == "ends":
            world.pods[name]["status"]["phase"] = "Failed"
        else:
            world.pods[name]["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
        assert summary(world.step(wanted)) in ([], ["apply Deployment"])
        assert not world.plan(wanted).actions
        assert world.one("Deployment")["spec"]["template"] == template


def test_the_world_can_tell_an_endless_loop() -> None:
    world, wanted = World(), service()
    world.settle(wanted)
    with pytest.raises(AssertionError, match="still to do"):
        world.settle(service(generation=2, replicas=5), passes=0)
