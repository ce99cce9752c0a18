"""Events: one for each transition, none while things stay as they are."""

from typing import Any

from tests.support.operator.world import OTHER, World, downloaded, running, service
from ttsoperator.reconcile.status import transitions
from ttsoperator.reconcile.status.conditions import Event
from ttsoperator.reconcile.status.observed import Progress


class Diary:
    """Statuses one after the other, and the events between them."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = {}

    def note(self, status: dict[str, Any]) -> list[tuple[str, str]]:
        events = transitions(self.status, status)
        self.status = status
        return [(event.type, event.reason) for event in events]


def test_a_life() -> None:
    world, wanted, diary = World(), downloaded(), Diary()
    assert diary.note(world.status(wanted)) == [("Normal", "Pending")]
    world.settle(wanted)
    world.run_job()
    assert diary.note(world.status(wanted, diary.status, download=Progress(1))) == [("Normal", "Downloading")]
    world.after(30)
    assert diary.note(world.status(wanted, diary.status, download=Progress(2))) == []
    world.finish_job()
    world.settle(wanted)
    assert diary.note(world.status(wanted, diary.status)) == [("Normal", "RollingOut"), ("Normal", "Published")]
    world.run_workers()
    assert diary.note(world.status(wanted, diary.status)) == [("Normal", "RolledOut")]
    world.after(600)
    assert diary.note(world.status(wanted, diary.status)) == []


def test_a_failure_is_one_warning_however_often_it_is_retried() -> None:
    world, wanted, diary = World(), downloaded(), Diary()
    world.settle(wanted)
    diary.note(world.status(wanted))
    world.fail_job()
    assert diary.note(world.status(wanted, diary.status)) == [("Warning", "SourceNotFound")]
    for _ in range(3):
        world.after(300)
        world.settle(wanted)
        assert diary.note(world.status(wanted, diary.status)) == []
        world.fail_job()
        assert diary.note(world.status(wanted, diary.status)) == []


def test_a_new_model_that_is_not_found() -> None:
    world, diary = running(), Diary()
    diary.note(world.status(downloaded()))
    wanted = downloaded(generation=2, source=OTHER)
    assert diary.note(world.status(wanted, diary.status)) == [("Normal", "Pending")]


def test_the_message_is_the_conditions() -> None:
    world = running()
    [ready, published] = transitions({}, world.status(downloaded()))
    assert ready == Event("Normal", "RolledOut", "the current spec is rolled out and workers answer")
    assert published.reason == "Published"


def test_failing_autoscaling_is_a_warning_and_its_recovery_is_reported() -> None:
    world, wanted, diary = World(), service(autoscaling={}), Diary()
    world.settle(wanted)
    world.run_workers()
    diary.note(world.status(wanted))
    for holds, expected in (("False", "Warning"), ("True", "Normal")):
        told = [{"type": "ScalingActive", "status": holds, "message": "no metrics"}]
        world.one("HorizontalPodAutoscaler")["status"] = {"conditions": told}
        [(kind, _)] = diary.note(world.status(wanted, diary.status))
        assert kind == expected
