"""The count of workers: who sets it, and that it never drops when it changes hands."""

import pytest

from tests.support.operator.world import START, World, downloaded, running, service, summary
from ttsoperator.kube.manifest import Ref
from ttsoperator.reconcile.actions import HandOverReplicas


def test_switching_autoscaling_on_hands_the_live_count_over_first() -> None:
    world, on = running(replicas=4), downloaded(generation=2, replicas=4, autoscaling={})
    plan = world.step(on)
    assert summary(plan) == ["hand over 4", "apply Deployment", "create HorizontalPodAutoscaler"]
    assert plan.actions[0] == HandOverReplicas(
        Ref("apps/v1", "Deployment", "speech", "english", world.one("Deployment")["metadata"]["uid"]), 4
    )
    assert world.one("Deployment")["spec"]["replicas"] == 4
    world.scale(7)
    assert world.plan(on).actions == ()


def test_without_the_hand_over_the_count_would_drop() -> None:
    """The world of these tests has the API's rule that makes the hand-over necessary."""
    world, on = running(replicas=4), downloaded(generation=2, replicas=4, autoscaling={})
    for action in world.plan(on).actions:
        if not isinstance(action, HandOverReplicas):
            world.carry_out(action)
    assert world.one("Deployment")["spec"]["replicas"] == 1


@pytest.mark.parametrize("written", range(4))
def test_the_hand_over_survives_a_crash_after_any_write(written: int) -> None:
    world, on = running(replicas=4), downloaded(generation=2, replicas=4, autoscaling={})
    for action in world.plan(on).actions[:written]:
        world.carry_out(action)
    world.settle(on)
    assert world.one("Deployment")["spec"]["replicas"] == 4


def test_switching_autoscaling_off_returns_to_the_spec() -> None:
    world, off = running(replicas=2, autoscaling={}), downloaded(generation=2, replicas=2)
    world.scale(7)
    assert summary(world.step(off)) == ["delete HorizontalPodAutoscaler", "apply Deployment"]
    assert world.one("Deployment")["spec"]["replicas"] == 2
    assert world.plan(off).actions == ()


def test_a_new_autoscaled_service_starts_at_its_minimum() -> None:
    world, wanted = World(), service(autoscaling={"minReplicas": 3})
    assert summary(world.step(wanted))[-3:] == [*("create Deployment", "hand over 3", "create HorizontalPodAutoscaler")]
    assert world.one("Deployment")["spec"]["replicas"] == 3
    assert world.plan(wanted).actions == ()


def test_a_hand_over_from_zero_starts_the_autoscaler() -> None:
    """An HPA is switched off while there are no replicas."""
    world = World()
    world.settle(service(replicas=0))
    world.settle(service(generation=2, replicas=0, autoscaling={"minReplicas": 2}))
    assert world.one("Deployment")["spec"]["replicas"] == 2


def test_the_wait_is_counted_from_the_failure() -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    world.fail_job()
    world.after(4)
    assert world.plan(wanted).requeue_after == 6
    assert (world.now - START).total_seconds() == 4
