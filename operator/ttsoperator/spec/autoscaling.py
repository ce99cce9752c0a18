"""The fields of spec.autoscaling: how a HorizontalPodAutoscaler sets the number of workers."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from ttsoperator.spec.base import ApiModel, rule, rules
from ttsoperator.spec.targets import DEFAULT_TARGETS, Targets


class SelectPolicy(StrEnum):
    """The rule that selects one of several policies."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class PolicyType(StrEnum):
    """Unit of a policy's value."""

    PODS = "Pods"
    PERCENT = "Percent"


class ScalingPolicy(ApiModel):
    """Limit of the change of the number of workers in a period."""

    type: PolicyType
    """Unit of value: Pods, or Percent of the current workers."""
    value: Annotated[int, Field(ge=1, le=10_000)]
    """Largest change, in pods or percent."""
    period_seconds: Annotated[int, Field(ge=1, le=1800)]
    """Length of the period in seconds."""


class ScalingRules(ApiModel):
    """How fast the autoscaler adds or removes workers."""

    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """Seconds for which the autoscaler considers earlier recommendations, to keep the number of workers steady."""
    select_policy: SelectPolicy | None = None
    """Max applies the policy that allows the largest change, Min the smallest; Disabled prevents changes in this
    direction."""
    policies: Annotated[list[ScalingPolicy], Field(min_length=1, max_length=8)] | None = None
    """Limits of the change in a period."""


class Behavior(ApiModel):
    """Speed of scaling, as in autoscaling/v2."""

    scale_up: ScalingRules | None = None
    """How fast the autoscaler adds workers."""
    scale_down: ScalingRules | None = None
    """How fast the autoscaler removes workers."""


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


class Autoscaling(ApiModel):
    """A HorizontalPodAutoscaler sets the number of workers; spec.replicas and /scale have no effect then."""

    model_config = rules(
        rule(
            "self.minReplicas <= self.maxReplicas",
            "autoscaling.minReplicas must not be above autoscaling.maxReplicas: raise maxReplicas",
            field=".maxReplicas",
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=1000)] = 1
    """Smallest number of workers."""
    max_replicas: Annotated[int, Field(ge=1, le=1000)] = 10
    """Largest number of workers."""
    targets: Annotated[
        Targets,
        Field(
            default_factory=lambda: Targets.model_validate(DEFAULT_TARGETS),
            json_schema_extra={"default": DEFAULT_TARGETS},
        ),
    ]
    """Target values of the autoscaler's metrics. Setting any target replaces the default."""
    behavior: Annotated[
        Behavior,
        Field(
            default_factory=lambda: Behavior.model_validate(DEFAULT_BEHAVIOR),
            json_schema_extra={"default": DEFAULT_BEHAVIOR},
        ),
    ]
    """Speed of scaling. The default at most doubles the workers every 15 s. When the current number has not been needed
    for five minutes, it removes one worker a minute."""
