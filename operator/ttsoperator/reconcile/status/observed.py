"""What one pass of the operator saw, for the status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.snapshot import Snapshot


@dataclass(frozen=True)
class Progress:
    """A download as its pod's metrics report it, in bytes; `total_bytes` is None while it is unknown."""

    bytes: int
    total_bytes: int | None = None


@dataclass(frozen=True)
class Voice:
    """A voice of the loaded model."""

    name: str
    language: str


@dataclass(frozen=True)
class WorkerFacts:
    """What a ready worker's metrics say about its model; None where a worker does not export it."""

    voices: tuple[Voice, ...] = ()
    real_time_factor: float | None = None
    first_audio_seconds: float | None = None


@dataclass(frozen=True)
class Conflict:
    """A child's name is taken; `former`: by a child of a deleted TTSService of the same name, still being deleted."""

    kind: str
    name: str
    former: bool = False


@dataclass(frozen=True)
class Refusal:
    """The API server refused a child for good (400, 403 or 422); `message` is the API's own."""

    kind: str
    name: str
    message: str


@dataclass(frozen=True)
class LeftOut:
    """A child that is wanted and not written, because the operator cannot use its API; `reason` says why."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True)
class Observed:
    """What one pass saw. Everything but `snapshot` and `desired` may be left out when it is not known."""

    snapshot: Snapshot
    desired: Sequence[Manifest] = ()
    """`plan.Plan.desired` of the same pass."""
    download: Progress | None = None
    facts: WorkerFacts | None = None
    conflicts: Sequence[Conflict] = ()
    refusals: Sequence[Refusal] = ()
    left_out: Sequence[LeftOut] = ()
    storage_classes: Mapping[str, bool] | None = None
    """Name of each StorageClass and whether it is the default; None when not known. Wanted while a claim is unbound."""
    claim_events: Sequence[str] = ()
    """Messages of the unbound claim's Warning events, newest last."""
