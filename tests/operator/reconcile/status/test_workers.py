"""The status of autoscaling, and what the workers tell of themselves."""

import pytest

from tests.support.operator.schema import problems
from tests.support.operator.status import SCHEMA, Status
from tests.support.operator.world import OTHER, World, condition, downloaded, message, running, service
from ttsoperator.reconcile.status import wants_facts
from ttsoperator.reconcile.status.observed import Observed, Voice, WorkerFacts
from ttsoperator.spec import TTSService


def autoscaled(*conditions: Status) -> Status:
    world, wanted = World(), service(autoscaling={})
    world.settle(wanted)
    world.run_workers()
    world.one("HorizontalPodAutoscaler")["status"] = {"conditions": list(conditions)}
    status = world.status(wanted)
    assert condition(status, "Ready") == ("True", "RolledOut")
    assert not list(problems(status, SCHEMA))
    return status


def hpa(kind: str, holds: str, reason: str = "x", told: str = "y") -> Status:
    return {"type": kind, "status": holds, "reason": reason, "message": told}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([], ("Unknown", "Pending")),
        ([hpa("AbleToScale", "True")], ("Unknown", "Pending")),
        ([hpa("AbleToScale", "True"), hpa("ScalingActive", "True")], ("True", "ScalingActive")),
        ([hpa("AbleToScale", "True"), hpa("ScalingActive", "False")], ("False", "MetricsUnavailable")),
        ([hpa("AbleToScale", "False"), hpa("ScalingActive", "True")], ("False", "ScalingUnable")),
        ([hpa("AbleToScale", "True"), hpa("ScalingActive", "False", "ScalingDisabled")], ("False", "ScaledToZero")),
    ],
)
def test_autoscaling_active(conditions: list[Status], found: tuple[str, str]) -> None:
    assert condition(autoscaled(*conditions), "AutoscalingActive") == found


def test_autoscaling_says_that_scale_is_ignored() -> None:
    status = autoscaled(hpa("ScalingActive", "True", told="the HPA was able to … from 3"))
    assert message(status, "AutoscalingActive") == (
        "between 1 and 10 workers follow the load; spec.replicas and /scale are ignored"
    )


def test_autoscaling_before_there_are_workers() -> None:
    status = World().status(downloaded(autoscaling={}))
    assert condition(status, "AutoscalingActive") == ("False", "Pending")


def test_without_autoscaling_there_is_no_such_condition() -> None:
    before = autoscaled(hpa("ScalingActive", "True"))
    world = World()
    world.settle(service())
    assert "AutoscalingActive" not in {c["type"] for c in world.status(service(), before)["conditions"]}


FACTS = WorkerFacts((Voice("b", "en"), Voice("a", "en")), 0.0143, 0.0876)


def seen(world: World, wanted: TTSService) -> Observed:
    return Observed(world.live, world.plan(wanted).desired)


def test_facts_are_taken_once_for_each_generation() -> None:
    world, wanted = running(), downloaded()
    assert wants_facts(wanted, seen(world, wanted), {})
    status = world.status(wanted, facts=FACTS)
    assert status["voices"] == [{"name": "a", "language": "en"}, {"name": "b", "language": "en"}]
    assert (status["voiceCount"], status["benchmark"]) == (2, {"realTimeFactorMilli": 14, "firstAudioMilliseconds": 88})
    assert not wants_facts(wanted, seen(world, wanted), status)
    assert world.status(wanted, status, facts=WorkerFacts((), 1.0, 1.0)) == status
    changed = downloaded(generation=2, serving={"maxConcurrency": 9})
    assert not wants_facts(changed, seen(world, changed), status), "the old workers still run"
    world.settle(changed)
    world.run_workers()
    assert wants_facts(changed, seen(world, changed), status)


def test_facts_of_another_model_are_dropped() -> None:
    world = running()
    status = world.status(downloaded(), facts=FACTS)
    other = downloaded(generation=2, source=OTHER)
    assert "voices" not in world.status(other, status)


def test_many_voices_are_counted_and_the_first_are_listed() -> None:
    many = WorkerFacts(tuple(Voice(f"v{number:03}", "en") for number in range(100)))
    status = running().status(downloaded(), facts=many)
    assert (status["voiceCount"], len(status["voices"])) == (100, 64)
    assert "benchmark" not in status
    assert not list(problems(status, SCHEMA))
