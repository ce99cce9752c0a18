"""The typed TTSService: the single source of the CRD's schema."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ttscontract import worker_config
from ttscontract.engines import Engine, Precision
from ttscontract.model_folder import BUILTIN
from ttscontract.reasons import Reason
from ttscontract.worker_config import Markup, OnUnspeakable, Tags, TextLogging, UnknownFields, UnknownVoice
from ttsoperator.spec.autoscaling import Autoscaling
from ttsoperator.spec.base import Annotations, ApiModel, rule, rules, setting
from ttsoperator.spec.engines import (
    NAMES,
    EngineName,
    engine_of,
    engine_rules,
    engine_text,
    gpu_count,
    gpus_text,
    resources_text,
)
from ttsoperator.spec.model import Model, Storage
from ttsoperator.spec.pods import Image, PodTemplate, Resources
from ttsoperator.spec.targets import gpu_rules

DEFAULT_GPU: Final = "nvidia.com/gpu"

VoiceAliases = Annotated[
    dict[str, Annotated[str, StringConstraints(min_length=1, max_length=worker_config.MAX_VOICE_NAME_LENGTH)]],
    Field(max_length=worker_config.MAX_VOICE_ALIASES),
]


class InvalidSpec(Exception):
    """The spec is invalid; `reason` and `message` go into the Stalled condition of `generation`."""

    def __init__(self, reason: Reason, message: str, generation: int) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.generation = generation


class ServiceType(StrEnum):
    """How clients reach the Service."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class Gpu(ApiModel):
    """GPUs of each worker."""

    count: Annotated[Annotated[int, Field(ge=0, le=16)] | None, Field(description=gpus_text())] = None
    resource_name: Annotated[str, StringConstraints(max_length=253, pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$")] = (
        DEFAULT_GPU
    )
    """Resource name of the nodes' GPUs."""


Origin = Annotated[str, StringConstraints(max_length=worker_config.MAX_ORIGIN_LENGTH, pattern=worker_config.ORIGIN)]


class Serving(ApiModel):
    """How a worker serves requests."""

    model_config = rules(
        rule(
            "!has(self.voiceAliases) || self.voiceAliases.all(alias, alias.size() >= 1 && alias.size() <= "
            f"{worker_config.MAX_VOICE_ALIAS_LENGTH})",
            f"an alias in voiceAliases must have 1 to {worker_config.MAX_VOICE_ALIAS_LENGTH} characters",
            field=".voiceAliases",
        )
    )

    precision: Precision = setting(worker_config.PRECISION)
    max_concurrency: int = setting(worker_config.MAX_CONCURRENCY)
    max_batch_size: int = setting(worker_config.MAX_BATCH_SIZE)
    max_queue_length: int = setting(worker_config.MAX_QUEUE_LENGTH)
    max_queue_audio_seconds: int = setting(worker_config.MAX_QUEUE_AUDIO_SECONDS)
    max_text_length: int = setting(worker_config.MAX_TEXT_LENGTH)
    request_timeout_seconds: int = setting(worker_config.REQUEST_TIMEOUT_SECONDS)
    drain_timeout_seconds: int = setting(worker_config.DRAIN_TIMEOUT_SECONDS)
    text_logging: TextLogging = setting(worker_config.TEXT_LOGGING)
    voice_aliases: VoiceAliases = setting(worker_config.VOICE_ALIASES)
    unknown_voice: UnknownVoice = setting(worker_config.UNKNOWN_VOICE)
    unknown_fields: UnknownFields = setting(worker_config.UNKNOWN_FIELDS)
    allowed_origins: Annotated[list[Origin], Field(max_length=worker_config.MAX_ORIGINS)] = setting(
        worker_config.ALLOWED_ORIGINS
    )
    markup: Markup = setting(worker_config.MARKUP)
    tags: Tags = setting(worker_config.TAGS)
    on_unspeakable: OnUnspeakable = setting(worker_config.ON_UNSPEAKABLE)


class ServiceOptions(ApiModel):
    """The Service in front of the workers."""

    type: ServiceType = ServiceType.CLUSTER_IP
    """How clients reach the Service: ClusterIP from inside the cluster, NodePort and LoadBalancer also from outside
    (without the metrics port)."""
    annotations: Annotations | None = None
    """Annotations of the Service, such as those for a cloud's load balancer."""


class Rollout(ApiModel):
    """How workers are replaced."""

    shutdown_delay_seconds: Annotated[int, Field(ge=0, le=300)] = 15
    """Seconds for which a stopping worker still takes requests, until every node sends them to other workers; a busy
    cluster needs more."""


_NO_CLAIM = "self.model.source.startsWith('builtin://') || oldSelf.model.source.startsWith('builtin://')"
_GPU_NAME = f"self.?gpu.?resourceName.orValue('{DEFAULT_GPU}')"


def _storage(of: str, field: str, absent: str) -> str:
    """Return the CEL of a storage field; not `.?storage.?field`: the API server cannot bound its cost, so it fails."""
    return f"(has({of}.storage) && has({of}.storage.{field}) ? {of}.storage.{field} : {absent})"


def _fixed(field: str, absent: str) -> dict[str, str]:
    same = f"{_storage('self', field, absent)} == {_storage('oldSelf', field, absent)}"
    message = f"spec.storage.{field} cannot be changed, because Kubernetes does not allow it: create a new TTSService"
    return rule(f"{_NO_CLAIM} || {same}", message, field=".storage")


class TTSServiceSpec(ApiModel):
    """The desired state of the service."""

    model_config = rules(
        *engine_rules(),
        rule(
            "!has(self.storage) || !self.model.source.startsWith('builtin://')",
            "a builtin:// model is part of the worker image and needs no volume: remove spec.storage",
            field=".storage",
        ),
        *gpu_rules(gpu_count()),
        *(
            rule(
                f"!has(self.resources) || !has(self.resources.{part}) || !({_GPU_NAME} in self.resources.{part})",
                "spec.gpu requests GPUs: remove them from spec.resources",
                field=".resources",
            )
            for part in ("requests", "limits")
        ),
        _fixed("storageClassName", "'-'"),
        _fixed("accessModes", "['ReadWriteOnce']"),
        _fixed("existingClaimName", "''"),
    )

    engine: Annotated[EngineName | None, Field(description=engine_text())] = None
    model: Model
    """The model that the workers serve."""
    storage: Storage | None = None
    """The volume that stores the model; when absent, a claim of 10Gi with ReadWriteOnce and the default StorageClass,
    deleted with the service."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 1
    """Number of workers; kubectl scale sets it. Ignored while spec.autoscaling is set."""
    gpu: Annotated[Gpu | None, Field(description=gpus_text())] = None
    resources: Annotated[Resources | None, Field(description=resources_text())] = None
    serving: Annotated[Serving, Field(default_factory=Serving, json_schema_extra={"default": {}})]
    """How a worker serves requests."""
    service: Annotated[ServiceOptions, Field(default_factory=ServiceOptions, json_schema_extra={"default": {}})]
    """The Service in front of the workers."""
    autoscaling: Autoscaling | None = None
    """Scales the number of workers with the load; when absent, spec.replicas sets the number."""
    rollout: Annotated[Rollout, Field(default_factory=Rollout, json_schema_extra={"default": {}})]
    """How workers are replaced."""
    pod_template: PodTemplate | None = None
    """Additions to the pods of the workers and of the download Job."""
    image: Image | None = None
    """The worker image; when absent, the image in the operator's settings."""


class TTSService(BaseModel):
    """One TTSService object, parsed."""

    model_config = ConfigDict(frozen=True)

    name: str
    namespace: str
    uid: str
    generation: int
    deleting: bool
    engine: Engine
    """The engine that the spec names, else the engine of the source's built-in model."""
    spec: TTSServiceSpec

    @property
    def builtin(self) -> bool:
        """Whether the model is part of the worker image: no claim, no download."""
        return self.spec.model.source.startswith(BUILTIN)

    @property
    def gpu_resource(self) -> str:
        """The name of the GPUs' resource on the nodes."""
        return self.spec.gpu.resource_name if self.spec.gpu else DEFAULT_GPU

    @property
    def storage(self) -> Storage:
        """The storage of the spec, empty when absent; use it only if the model is not builtin."""
        return self.spec.storage or Storage()


def parse(body: Mapping[str, Any]) -> TTSService:
    """Parse an API object; raises InvalidSpec with a message for the user.

    The API server already rejects most invalid specs. This rejects those that it accepted before a rule existed, or
    under the CRD of another release.
    """
    metadata = body["metadata"]
    generation = int(metadata.get("generation", 0))
    try:
        spec = TTSServiceSpec.model_validate(body.get("spec") or {})
    except ValidationError as error:
        raise InvalidSpec(Reason.INVALID_SPEC, _explain(error), generation) from error
    engine = engine_of(spec.engine, spec.model.source)
    if engine is None:
        raise InvalidSpec(Reason.INVALID_SPEC, f"spec.engine is required with this source: {NAMES}", generation)
    return TTSService(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        generation=generation,
        deleting=bool(metadata.get("deletionTimestamp")),
        engine=engine,
        spec=spec,
    )


def _explain(error: ValidationError) -> str:
    found = [(".".join(["spec", *map(str, e["loc"])]), e["msg"]) for e in error.errors(include_url=False)]
    shown = "; ".join(f"{path}: {message}" for path, message in found[:3])
    return shown if len(found) <= 3 else f"{shown}; and {len(found) - 3} more"
