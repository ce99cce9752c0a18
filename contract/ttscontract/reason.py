"""What a row of the reasons (reasons.py) says."""

from enum import Enum, StrEnum
from typing import Self


class Severity(Enum):
    """What the status does with a reason."""

    GOOD = "good"  # the goal is reached
    PROGRESSING = "progressing"  # Reconciling: the operator or the cluster makes progress without a person
    PATIENT = "patient"  # Reconciling: it waits for the cluster's capacity, which never becomes a failure
    STALLED = "stalled"  # a person must act first
    UNSEEN = "unseen"  # no condition has it, only a termination message and the log


class Program(Enum):
    """A program that writes a termination message."""

    DOWNLOAD = "download"
    WORKER = "worker"


class ReasonRow(StrEnum):
    """A reason by its name in the API, with its severity, its meaning and what a person does about it.

    `action` is empty where there is nothing to do. `reported_by` is the program that may write the reason into its
    termination message, None for a reason that only the operator finds.
    """

    severity: Severity
    meaning: str
    action: str
    reported_by: Program | None

    def __new__(
        cls, value: str, severity: Severity, meaning: str, action: str = "", reported_by: Program | None = None
    ) -> Self:
        """Make the member of one row."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.severity = severity
        member.meaning = meaning
        member.action = action
        member.reported_by = reported_by
        return member
