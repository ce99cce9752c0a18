"""What the tests of the status share."""

from typing import Any

from tests.support.operator.schema import problems
from tests.support.operator.world import condition
from tools.crd import structural_schema
from ttsoperator.spec.status import TTSServiceStatus

SCHEMA = structural_schema(TTSServiceStatus)
Status = dict[str, Any]


def kstatus(status: Status) -> str:
    """What kstatus, and with it Flux and Argo CD, would say."""
    if condition(status, "Reconciling")[0] == "True":
        return "InProgress"
    if condition(status, "Stalled")[0] == "True":
        return "Failed"
    return "Current" if condition(status, "Ready")[0] == "True" else "InProgress"


def assert_blocked(status: Status, reason: str, *, stalled: bool) -> None:
    assert condition(status, "Ready") == ("False", reason)
    assert condition(status, "Stalled" if stalled else "Reconciling") == ("True", reason)
    assert condition(status, "Reconciling" if stalled else "Stalled")[0] == "False"
    assert kstatus(status) == ("Failed" if stalled else "InProgress")
    assert not list(problems(status, SCHEMA))


def unscheduled(why: str) -> Status:
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
    return {"phase": "Pending", "conditions": [told]}


def waiting(why: str, text: str = "") -> Status:
    state = {"waiting": {"reason": why, "message": text}}
    return {"phase": "Pending", "containerStatuses": [{"name": "worker", "state": state}]}


def crashed(told: str = "", code: int = 1, cause: str = "Error", *, again: bool = False) -> Status:
    ended = {"terminated": {"exitCode": code, "reason": cause, "message": told}}
    looping = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}
    running_again = {"state": {"running": {}}, "lastState": ended}
    return {"containerStatuses": [{"name": "worker", **(running_again if again else looping)}]}


GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 No preemption."
