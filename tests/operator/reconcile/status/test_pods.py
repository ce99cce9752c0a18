"""The status of workers that do not answer: each cause by its name."""

import pytest

from tests.support.operator.status import GPU, Status, assert_blocked, crashed, unscheduled, waiting
from tests.support.operator.world import World, condition, message, service

PODS: list[tuple[Status, str, bool, str]] = [
    (unscheduled(GPU), "WaitingForGPU", False, "0/3 nodes are available: 3 Insufficient nvidia.com/gpu"),
    (unscheduled("0/1 nodes are available: 1 Insufficient cpu."), "Unschedulable", False, "Insufficient cpu"),
    (unscheduled('persistentvolumeclaim "mine" not found'), "WaitingForVolume", False, '"mine" not found'),
    (unscheduled("1 node(s) had volume node affinity conflict"), "WaitingForVolume", False, "volume node affinity"),
    (waiting("ErrImagePull", "rpc: not found"), "ImagePull", False, "1.2 cannot be pulled: rpc: not found"),
    (waiting("ImagePullBackOff", "Back-off: ErrImagePull: rpc: not found"), "ImagePull", False, "pulled: rpc: not"),
    (waiting("InvalidImageName", "bad reference"), "ImageInvalid", True, "bad reference"),
    (waiting("ErrImageNeverPull", "not present"), "ImageInvalid", True, "not present"),
    (waiting("CreateContainerConfigError", 'secret "x" not found'), "ContainerConfig", False, 'secret "x"'),
    (waiting("ContainerCreating"), "WorkerStarting", False, "loads its model"),
    (crashed('{"reason":"ModelMissing","message":"no /models/x"}'), "ModelMissing", True, "no /models/x"),
    (crashed('{"reason":"ModelCorrupt","message":"a.onnx"}', again=True), "ModelCorrupt", True, "a.onnx"),
    (crashed('{"reason":"ModelInvalid","message":"no config"}'), "ModelInvalid", True, "no config"),
    (crashed('{"reason":"EngineUnavailable","message":"no torch"}'), "EngineUnavailable", True, "no torch"),
    (crashed('{"reason":"GpuUnavailable","message":"driver"}'), "GpuUnavailable", True, "driver"),
    (crashed('{"reason":"ConfigInvalid","message":"threads"}'), "ConfigInvalid", True, "threads"),
    (crashed(code=137, cause="OOMKilled"), "OutOfMemory", True, "memory limit"),
    (crashed("INFO starting\nSegmentation fault"), "WorkerCrashing", False, "Segmentation fault"),
    (crashed(), "WorkerCrashing", False, "ended with code 1"),
]


@pytest.mark.parametrize(("pod", "reason", "stalled", "said"), PODS, ids=[case[1] for case in PODS])
def test_a_worker_that_does_not_answer(pod: Status, reason: str, stalled: bool, said: str) -> None:  # noqa: FBT001
    world, wanted = World(), service()
    world.settle(wanted)
    world.run_workers(ready=False, **pod)
    status = world.status(wanted)
    assert_blocked(status, reason, stalled=stalled)
    assert condition(status, "WorkloadAvailable") == ("False", reason)
    assert said in message(status, "Ready")


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (unscheduled(GPU), "WaitingForGPU"),
        (waiting("ImagePullBackOff"), "ProgressDeadlineExceeded"),
        (crashed('{"reason":"ModelMissing"}'), "ModelMissing"),
        (crashed(), "ProgressDeadlineExceeded"),
    ],
)
def test_only_permanent_problems_stall(pod: Status, reason: str) -> None:
    world, wanted = World(), service()
    world.settle(wanted)
    world.run_workers(ready=False, **pod)
    exceeded = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    world.one("Deployment")["status"]["conditions"] = [exceeded]
    assert_blocked(world.status(wanted), reason, stalled=reason != "WaitingForGPU")


def test_a_namespace_that_refuses_pods() -> None:
    world, wanted = World(), service()
    world.settle(wanted)
    told = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods=0"}
    world.one("Deployment")["status"] = {"conditions": [told]}
    status = world.status(wanted)
    assert_blocked(status, "PodsRefused", stalled=True)
    assert "exceeded quota" in message(status, "WorkloadAvailable")
