"""Conditions by the API conventions, and the events of their transitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ttscontract.log_line import escaped
from ttscontract.reasons import Reason
from ttsoperator.kube.manifest import time_text
from ttsoperator.names import Condition
from ttsoperator.reconcile.status.diagnosis import Finding

LONGEST_MESSAGE: Final = 1024


@dataclass(frozen=True)
class Event:
    """A Kubernetes event to record on the TTSService; `type` is Normal or Warning."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class Wanted:
    """A condition as it is now, before its history is added; `status` None is Unknown."""

    type: Condition
    status: bool | None
    reason: Reason
    message: str


def summary(blocking: Finding | None, reason: Reason, message: str) -> list[Wanted]:
    """Return Ready, Reconciling and Stalled, all from the one finding that blocks the service.

    Reconciling and Stalled are always listed, because a tool cannot distinguish an absent one from an unknown one, and
    never both True: kstatus expects that.
    """
    if blocking is None:
        return [
            Wanted(Condition.READY, status=True, reason=reason, message=message),
            Wanted(
                Condition.RECONCILING,
                status=False,
                reason=Reason.NOTHING_TO_DO,
                message="the service matches its spec",
            ),
            Wanted(
                Condition.STALLED, status=False, reason=Reason.NOTHING_TO_DO, message="the service matches its spec"
            ),
        ]
    stalled = blocking.stalled
    other = Reason.NOTHING_TO_DO if stalled else Reason.PROGRESSING
    idle = "a person must act first" if stalled else "nobody needs to act"
    on, off = (Condition.STALLED, Condition.RECONCILING) if stalled else (Condition.RECONCILING, Condition.STALLED)
    found = [
        Wanted(Condition.READY, status=False, reason=blocking.reason, message=blocking.message),
        Wanted(on, status=True, reason=blocking.reason, message=blocking.message),
        Wanted(off, status=False, reason=other, message=idle),
    ]
    return sorted(found, key=lambda wanted: list(Condition).index(wanted.type))


def merged(
    previous: Mapping[str, Any], wanted: Iterable[Wanted], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """Return the conditions; the time of the last transition moves only when the status does."""
    before = by_type(previous)
    found = []
    for one in wanted:
        status = "Unknown" if one.status is None else str(one.status)
        old = before.get(one.type)
        kept = old is not None and old["status"] == status
        found.append(
            {
                "type": one.type.value,
                "status": status,
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if old and kept else time_text(now),
                "reason": one.reason.value,
                "message": escaped(one.message)[:LONGEST_MESSAGE],
            }
        )
    return found


def by_type(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a status' conditions by their type."""
    return {condition["type"]: condition for condition in status.get("conditions") or []}


def transitions(previous: Mapping[str, Any], current: Mapping[str, Any]) -> list[Event]:
    """Return the events of the change from one status to the next; none when no condition changed."""
    before, after = by_type(previous), by_type(current)
    moved = {
        kind: condition
        for kind, condition in after.items()
        if (condition["status"], condition["reason"]) != _state(before.get(kind))
    }
    return [event for kind, condition in moved.items() for event in _events(kind, condition, before.get(kind))]


def _state(condition: Mapping[str, Any] | None) -> tuple[str, str] | None:
    return (condition["status"], condition["reason"]) if condition else None


def _events(kind: str, condition: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[Event]:
    reason, message, holds = condition["reason"], condition["message"], condition["status"] == "True"
    if kind == Condition.STALLED and holds:
        return [Event("Warning", reason, message)]
    if kind == Condition.RECONCILING and holds:
        return [Event("Normal", reason, message)]
    if kind in {Condition.READY, Condition.MODEL_READY} and holds and not (before and before["status"] == "True"):
        return [Event("Normal", reason, message)]
    if kind in {Condition.AUTOSCALING_ACTIVE, Condition.ADD_ONS_INSTALLED} and condition["status"] != "Unknown":
        return [Event("Normal" if holds else "Warning", reason, message)]
    return []
