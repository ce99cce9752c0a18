"""Events: once for each transition, and counted when it comes again."""

import copy
from datetime import timedelta

import pytest

from tests.support.operator.passes import CHILDREN, World, refusing, service
from ttscontract.reasons import Reason
from ttsoperator.kube.errors import Refused, Unavailable
from ttsoperator.names import KIND
from ttsoperator.watch.workqueue import Retry


async def test_events_are_recorded_once_per_transition(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.workers_become_ready()
    await world.settle()
    reasons = [event["reason"] for event in world.events()]
    assert len(reasons) == len(set(reasons))
    ready = next(event for event in world.events() if event["reason"] == Reason.READY)
    assert ready["involvedObject"]["uid"] == world.object(KIND)["metadata"]["uid"]
    assert ready["count"] == 1


async def test_an_operator_killed_between_event_and_status_does_not_count_the_event_twice(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("patch status", KIND, Unavailable(0, "killed"))
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.events()
    world.cluster.refuse = lambda *_: None
    world.restart()
    await world.settle()
    assert {event["count"] for event in world.events()} == {1}


async def test_the_same_transition_again_counts_up(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    for _ in range(3):
        world.workers_become_ready()
        await world.settle()
        gone = copy.deepcopy(world.object("Deployment"))
        gone["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
        world.cluster.seed(gone)
        world.cluster.remove("Pod", "ns", "english-1")
        world.time += timedelta(minutes=1)
        await world.settle()
    ready = [event for event in world.events() if event["reason"] == Reason.READY]
    assert [event["count"] for event in ready] == [3]
    assert ready[0]["lastTimestamp"] > ready[0]["firstTimestamp"]


async def test_events_that_may_not_be_written_keep_nothing_from_working(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("create", "Event", Refused(403, "no"))
    await world.reconcile()
    assert world.condition("Ready")["status"] == "False"
    assert world.cluster.kinds() > CHILDREN
