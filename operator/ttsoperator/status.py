"""The status of a TTSService: a pure function of its spec, of what was observed and of the status before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .live import Live, Manifest
from .spec import InvalidSpec, TTSService

Status = dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """A download as its pod's metrics tell it, in bytes; `total_bytes` is None while the source has not told it."""

    bytes: int
    total_bytes: int | None = None


@dataclass(frozen=True)
class Voice:
    """A voice of the loaded model."""

    name: str
    language: str


@dataclass(frozen=True)
class WorkerFacts:
    """What a ready worker's metrics tell about its model (`tts_voice_info`, `tts_warmup_…`)."""

    voices: tuple[Voice, ...] = ()
    real_time_factor: float | None = None
    first_audio_seconds: float | None = None


@dataclass(frozen=True)
class Conflict:
    """A child's name is taken; `former`: by a child of a deleted TTSService of the same name, which will go away."""

    kind: str
    name: str
    former: bool = False


@dataclass(frozen=True)
class Refusal:
    """The API server refused a child for good (400, 403, 409 or 422); `message` is the API's own."""

    kind: str
    name: str
    message: str


@dataclass(frozen=True)
class Observed:
    """What one pass saw. Everything but `live` and `desired` may be left out when it is not known."""

    live: Live
    desired: Sequence[Manifest] = ()
    """`plan.Plan.desired` of the same pass."""
    download: Progress | None = None
    facts: WorkerFacts | None = None
    conflicts: Sequence[Conflict] = ()
    refusals: Sequence[Refusal] = ()
    storage_classes: Mapping[str, bool] | None = None
    """Name of each StorageClass and whether it is the default; None when it may not be read. Wanted only while a claim is unbound."""
    claim_events: Sequence[str] = field(default_factory=tuple)
    """Messages of the unbound claim's Warning events, newest last."""


@dataclass(frozen=True)
class Event:
    """A Kubernetes event to record on the TTSService; `type` is Normal or Warning."""

    type: str
    reason: str
    message: str


def compute_status(
    service: TTSService | InvalidSpec, observed: Observed, previous: Mapping[str, Any], now: datetime
) -> Status:
    """Return the whole `.status`; equal to `previous` when nothing changed, so that nothing need be written.

    `previous` is the `.status` of the object ({} at first), `now` is in UTC.
    """
    raise NotImplementedError


def transitions(previous: Mapping[str, Any], current: Mapping[str, Any]) -> list[Event]:
    """Return the events that the change from one status to the next is worth; none when no condition moved."""
    raise NotImplementedError


def wants_facts(service: TTSService, observed: Observed, previous: Mapping[str, Any]) -> bool:
    """Tell whether `Observed.facts` would be used: scrape a ready worker only then."""
    raise NotImplementedError
