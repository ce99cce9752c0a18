"""The fields of a TTSService's status, for the CRD's schema; the package `reconcile.status` sets them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from ttscontract.reasons import Reason
from ttsoperator.spec.base import ApiModel, map_list

Text = Annotated[str, StringConstraints(max_length=2048)]
Time = Annotated[str, StringConstraints(max_length=64), Field(json_schema_extra={"format": "date-time"})]


class ModelState(StrEnum):
    """State of a model; all but Failed have the name of a reason."""

    BUILT_IN = Reason.BUILT_IN.value
    PENDING = Reason.PENDING.value
    DOWNLOADING = Reason.DOWNLOADING.value
    PUBLISHED = Reason.PUBLISHED.value
    FAILED = "Failed"


class ConditionStatus(StrEnum):
    """Status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionModel(ApiModel):
    """One condition."""

    type: Annotated[str, StringConstraints(max_length=316)]
    """Ready, Reconciling, Stalled, ModelReady, WorkloadAvailable, AutoscalingActive or AddOnsInstalled."""
    status: ConditionStatus
    """Status of the condition."""
    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """Generation of the spec that the condition describes."""
    last_transition_time: Time
    """When the status of the condition last changed."""
    reason: Annotated[str, StringConstraints(max_length=1024)]
    """Reason in one word; docs/status-conditions.md lists all reasons."""
    message: Annotated[str, StringConstraints(max_length=32768)]
    """Explanation for people, and what to do."""


class ModelStatus(ApiModel):
    """The model of the current spec."""

    source: Text
    """Source of the model."""
    state: ModelState
    """State of the model."""
    digest: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Digest of the published files."""
    bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes downloaded so far; after publishing, bytes of all files."""
    total_bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes to download; absent until the source reports it."""
    bytes_per_second: Annotated[int, Field(ge=0)] | None = None
    """Speed of the download between the last two updates, which are at least five seconds apart."""
    progress_time: Time | None = None
    """Time of the last update of bytes; absent when no download runs."""


class VoiceStatus(ApiModel):
    """A voice of the model."""

    name: Annotated[str, StringConstraints(max_length=253)]
    """Name of the voice in requests."""
    language: Annotated[str, StringConstraints(max_length=64)]
    """Language of the voice."""


class Benchmark(ApiModel):
    """Measurements of a worker's warm-up."""

    real_time_factor_milli: Annotated[int, Field(ge=0)] | None = None
    """Milliseconds of computing for each second of speech."""
    first_audio_milliseconds: Annotated[int, Field(ge=0)] | None = None
    """Milliseconds until the first audio of a short sentence."""


class TTSServiceStatus(ApiModel):
    """The observed state; only the operator writes it."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """Generation of the spec that this status describes; -1 until the operator has seen the object."""
    conditions: Annotated[list[ConditionModel], Field(max_length=16, json_schema_extra=map_list("type"))] | None = None
    """Ready, Reconciling, Stalled, ModelReady and WorkloadAvailable; AutoscalingActive with spec.autoscaling;
    AddOnsInstalled while it is False."""
    replicas: Annotated[int, Field(ge=0)] | None = None
    """Number of workers."""
    ready_replicas: Annotated[int, Field(ge=0)] | None = None
    """Number of ready workers."""
    selector: Text | None = None
    """Label selector of the workers' pods, for /scale."""
    url: Text | None = None
    """Address of the HTTP API inside the cluster."""
    engine: Annotated[str, StringConstraints(max_length=63)] | None = None
    """Engine of the current spec, from spec.engine or the source."""
    model: ModelStatus | None = None
    """The model of the current spec."""
    voice_count: Annotated[int, Field(ge=0)] | None = None
    """Number of the model's voices."""
    voices: Annotated[list[VoiceStatus], Field(max_length=64, json_schema_extra=map_list("name"))] | None = None
    """The model's first 64 voices."""
    benchmark: Benchmark | None = None
    """Measurements of a worker's warm-up."""
