"""The status: what is ready and what is not, and when nothing changes."""

import pytest

from tests.support.operator.schema import problems
from tests.support.operator.status import GPU, SCHEMA, assert_blocked, crashed, kstatus, unscheduled
from tests.support.operator.world import START, World, condition, downloaded, message, running, service, text
from ttscontract.reasons import Reason
from ttsoperator.reconcile.status import compute_status
from ttsoperator.reconcile.status.observed import Conflict, Refusal
from ttsoperator.spec import InvalidSpec


def test_ready() -> None:
    world = running()
    status = world.status(downloaded())
    assert condition(status, "Ready") == ("True", "RolledOut")
    assert kstatus(status) == "Current"
    assert condition(status, "ModelReady") == ("True", "Published")
    assert condition(status, "WorkloadAvailable") == ("True", "WorkersAvailable")
    assert [c["type"] for c in status["conditions"]] == [
        *("Ready", "Reconciling", "Stalled", "ModelReady", "WorkloadAvailable")
    ]
    assert {c["observedGeneration"] for c in status["conditions"]} == {1}
    assert (status["replicas"], status["readyReplicas"], status["observedGeneration"]) == (1, 1, 1)
    assert status["url"] == "http://english.speech.svc:5002"
    assert status["selector"] == "app.kubernetes.io/component=worker,tts-operator.io/service=english"
    assert status["model"] == {
        "source": downloaded().spec.model.source,
        "state": "Published",
        "digest": "sha256:d1",
        "bytes": 77,
    }
    assert not list(problems(status, SCHEMA))


def test_a_builtin_model() -> None:
    world = World()
    world.settle(service())
    assert_blocked(world.status(service()), "RollingOut", stalled=False)
    world.run_workers()
    status = world.status(service())
    assert condition(status, "Ready") == ("True", "RolledOut")
    assert condition(status, "ModelReady") == ("True", "BuiltIn")
    assert (status["model"], status["engine"]) == ({"source": "builtin://hibari", "state": "BuiltIn"}, "hibari")


def test_a_model_of_the_image_is_rolled_out_like_any_other() -> None:
    world, alba = World(), service(engine="hibari", model={"source": "builtin://alba"})
    world.settle(service())
    world.run_workers()
    assert_blocked(world.status(alba), "RollingOut", stalled=False)
    world.settle(alba)
    world.run_workers()
    status = world.status(alba)
    assert condition(status, "Ready") == ("True", "RolledOut")
    assert (condition(status, "ModelReady"), status["model"]["source"]) == (("True", "BuiltIn"), "builtin://alba")


def test_scaled_to_zero_is_ready() -> None:
    world, none = World(), service(replicas=0)
    world.settle(none)
    world.run_workers(0)
    status = world.status(none)
    assert condition(status, "Ready") == ("True", "ScaledToZero")
    assert condition(status, "WorkloadAvailable") == ("True", "ScaledToZero")


def test_the_first_status_of_all() -> None:
    status = World().status(downloaded())
    assert_blocked(status, "Pending", stalled=False)
    assert condition(status, "WorkloadAvailable") == ("False", "WaitingForModel")
    assert status["model"]["state"] == "Pending"
    assert "url" not in status


def test_a_change_is_not_ready_until_the_old_workers_are_gone() -> None:
    world, wanted = running(), downloaded(generation=2, serving={"maxConcurrency": 9})
    assert_blocked(world.status(wanted), "RollingOut", stalled=False)
    world.settle(wanted)
    status = world.status(wanted)
    assert_blocked(status, "RollingOut", stalled=False)
    assert condition(status, "WorkloadAvailable") == ("True", "WorkersAvailable")
    world.add_worker("new", ready=False)
    assert_blocked(world.status(wanted), "WorkerStarting", stalled=False)
    world.add_worker("new", ready=True)
    assert_blocked(world.status(wanted), "RollingOut", stalled=False)
    del world.pods["worker-0"]
    assert kstatus(world.status(wanted)) == "Current"


def test_an_old_worker_that_drains_does_not_count() -> None:
    world, wanted = running(), downloaded(generation=2, serving={"maxConcurrency": 9})
    world.settle(wanted)
    world.add_worker("new", ready=True)
    world.pods["worker-0"]["metadata"]["deletionTimestamp"] = text(START)
    assert kstatus(world.status(wanted)) == "Current"


def test_the_autoscaler_moving_the_count_does_not_flip_ready() -> None:
    wanted = downloaded(autoscaling={})
    world = running(autoscaling={})
    world.settle(wanted)
    ready = world.status(wanted)["conditions"][0]
    world.scale(4)  # the Deployment's status is now out of date
    assert world.status(wanted)["conditions"][0] == ready
    world.add_worker("more", ready=False, **unscheduled(GPU))
    assert world.status(wanted)["conditions"][0] == ready
    world.scale(1)
    assert world.status(wanted)["conditions"][0] == ready


def test_an_evicted_pod_is_no_worker() -> None:
    world, wanted = running(), downloaded()
    world.add_worker("evicted", ready=False)
    world.pods["evicted"]["status"]["phase"] = "Failed"
    world.pods["evicted"]["metadata"]["annotations"] = {}
    assert kstatus(world.status(wanted)) == "Current"


def test_crashes_of_all_workers_are_reported() -> None:
    world, wanted = running(), downloaded()
    world.run_workers(ready=False, **crashed())
    assert_blocked(world.status(wanted), "WorkerCrashing", stalled=False)


def test_a_name_that_is_taken() -> None:
    status = running().status(downloaded(), conflicts=[Conflict("Service", "english")])
    assert_blocked(status, "NameConflict", stalled=True)
    assert "Service english exists and does not belong to this service" in message(status, "Stalled")


def test_a_name_that_will_be_free() -> None:
    status = running().status(downloaded(), conflicts=[Conflict("Service", "english", former=True)])
    assert_blocked(status, "WaitingForDeletion", stalled=False)


def test_a_child_that_is_refused() -> None:
    status = running().status(downloaded(), refusals=[Refusal("Deployment", "english", "spec.x: Invalid value")])
    assert_blocked(status, "ChildRefused", stalled=True)
    assert message(status, "Ready") == "the API server refused Deployment english: spec.x: Invalid value"


def test_all_that_stands_in_the_way_is_reported_at_once() -> None:
    conflicts = [Conflict("Service", "english"), Conflict("ServiceAccount", "english-worker")]
    refusals = [Refusal("Job", "a", "exceeded quota"), Refusal("PersistentVolumeClaim", "b", "cannot expand")]
    status = running().status(downloaded(), conflicts=conflicts, refusals=refusals)
    assert_blocked(status, "NameConflict", stalled=True)
    shown = message(status, "Stalled")
    assert all(what in shown for what in ("Service english, ServiceAccount english-worker", "quota", "cannot expand"))


def test_an_invalid_spec_keeps_the_known_status() -> None:
    world = running()
    before = world.status(downloaded())
    status = compute_status(InvalidSpec(Reason.INVALID_SPEC, "spec.x: bad", 2), None, before, world.now)  # type: ignore[arg-type]
    assert_blocked(status, "InvalidSpec", stalled=True)
    assert condition(status, "WorkloadAvailable") == ("True", "WorkersAvailable")
    assert (status["observedGeneration"], status["url"]) == (2, before["url"])
    assert [c["type"] for c in status["conditions"]] == [c["type"] for c in before["conditions"]]
    first = compute_status(InvalidSpec(Reason.INVALID_SPEC, "spec.x: bad", 2), None, {}, world.now)  # type: ignore[arg-type]
    assert kstatus(first) == "Failed"


def test_the_time_moves_with_the_status_only() -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    first = world.status(wanted)
    world.after(60)
    world.fail_job()
    second = world.status(wanted, first)
    ready, stalled = (next(c for c in second["conditions"] if c["type"] == kind) for kind in ("Ready", "Stalled"))
    assert ready["lastTransitionTime"] == text(START), "False before and after, for another reason"
    assert stalled["lastTransitionTime"] == text(world.now)


def test_long_messages_are_cut() -> None:
    status = running().status(downloaded(), refusals=[Refusal("Job", "a", "x" * 40_000)])
    assert len(message(status, "Ready")) == 1024


@pytest.mark.parametrize("happen", ["run_job", "fail_job", "finish_job"])
def test_a_status_is_stable(happen: str) -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    getattr(world, happen)()
    first = world.status(wanted)
    world.after(3)
    assert world.status(wanted, first) == first
