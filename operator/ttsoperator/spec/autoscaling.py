"""How workers follow the load: the fields behind a HorizontalPodAutoscaler."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from ttsoperator.spec.base import ApiModel, rule, rules


class SelectPolicy(StrEnum):
    """Which of several policies counts."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class PolicyType(StrEnum):
    """What a policy's value counts."""

    PODS = "Pods"
    PERCENT = "Percent"


class ScalingPolicy(ApiModel):
    """How much the number of workers may change in a period."""

    type: PolicyType
    """Pods, or Percent of the workers there are."""
    value: Annotated[int, Field(ge=1, le=10_000)]
    """How many."""
    period_seconds: Annotated[int, Field(ge=1, le=1800)]
    """The period in seconds."""


class ScalingRules(ApiModel):
    """How fast workers are added or removed."""

    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """For how many seconds past wishes are kept in mind, so that the number does not flap."""
    select_policy: SelectPolicy | None = None
    """Max: the policy that changes most counts; Min: that changes least; Disabled: no change in this direction."""
    policies: Annotated[list[ScalingPolicy], Field(min_length=1, max_length=8)] | None = None
    """How much may change in a period."""


class Behavior(ApiModel):
    """Speed of scaling, as in autoscaling/v2."""

    scale_up: ScalingRules | None = None
    """How fast workers are added."""
    scale_down: ScalingRules | None = None
    """How fast workers are removed."""


DEFAULT_TARGETS: dict[str, Any] = {"queueDepth": 4}
DEFAULT_BEHAVIOR: dict[str, Any] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15},
            {"type": "Pods", "value": 4, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
    },
}


class Targets(ApiModel):
    """What the autoscaler holds; with several the one that wants most workers counts."""

    model_config = rules(
        rule(
            "has(self.queueDepth) || has(self.gpuUtilizationPercent)",
            "name at least one target: queueDepth or gpuUtilizationPercent",
        )
    )

    queue_depth: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Requests waiting, per worker."""
    gpu_utilization_percent: Annotated[int, Field(ge=1, le=100)] | None = None
    """Mean utilisation of the workers' GPUs; needs workers with a GPU."""


class Autoscaling(ApiModel):
    """Makes a HorizontalPodAutoscaler set the number of workers; spec.replicas and /scale are then ignored."""

    model_config = rules(
        rule(
            "self.minReplicas <= self.maxReplicas",
            "autoscaling.minReplicas must not be above autoscaling.maxReplicas: raise maxReplicas",
            field=".maxReplicas",
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Workers there are at least."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """Workers there are at most."""
    targets: Annotated[
        Targets,
        Field(
            default_factory=lambda: Targets.model_validate(DEFAULT_TARGETS),
            json_schema_extra={"default": DEFAULT_TARGETS},
        ),
    ]
    """What the autoscaler holds. Naming any replaces the default of four waiting requests per worker."""
    behavior: Annotated[
        Behavior,
        Field(
            default_factory=lambda: Behavior.model_validate(DEFAULT_BEHAVIOR),
            json_schema_extra={"default": DEFAULT_BEHAVIOR},
        ),
    ]
    """Speed of scaling. The default can double the workers every 15 s and removes one a minute after five calm ones."""
