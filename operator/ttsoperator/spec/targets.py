"""`spec.autoscaling.targets`, with fields, bounds and rules from the scaling targets of the metrics catalogue."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field, create_model
from pydantic.alias_generators import to_snake

from ttscontract.metric import Metric, ScalingTarget
from ttscontract.metrics import SCALING_TARGETS
from ttscontract.words import one_of
from ttsoperator.spec.base import ApiModel, rule, rules

DEFAULT_TARGETS: Final = {t.field: t.default for t in SCALING_TARGETS.values() if t.default is not None}


def _field(target: ScalingTarget) -> Any:
    """Return the type and the default of the target's field, for pydantic."""
    bounded = Annotated[int, Field(ge=target.minimum, le=target.maximum)]
    return Annotated[bounded | None, Field(description=target.help)], None


_Fields = create_model("_Fields", __base__=ApiModel, **{to_snake(t.field): _field(t) for t in SCALING_TARGETS.values()})
"""One optional integer for each scaling target."""


class Targets(_Fields):
    """Target values of the autoscaler's metrics. Of several targets, the one that needs the most workers decides."""

    model_config = rules(
        rule(
            " || ".join(f"has(self.{target.field})" for target in SCALING_TARGETS.values()),
            f"set at least one target: {one_of(target.field for target in SCALING_TARGETS.values())}",
        )
    )

    def wanted(self) -> Iterator[tuple[Metric, float]]:
        """Yield each metric that has a target, and the target for the average value per worker."""
        for metric, target in SCALING_TARGETS.items():
            number = getattr(self, to_snake(target.field))
            if number is not None:
                yield metric, number * target.scale


def gpu_rules(gpus: str) -> Iterator[dict[str, str]]:
    """Yield the CEL rules that reject GPU targets if `gpus`, a CEL expression for the number of GPUs, is 0."""
    others = one_of(target.field for target in SCALING_TARGETS.values() if not target.needs_gpu)
    for target in SCALING_TARGETS.values():
        if target.needs_gpu:
            name = f"autoscaling.targets.{target.field}"
            yield rule(
                f"!has(self.autoscaling) || !has(self.{name}) || {gpus} > 0",
                f"{name} needs workers with a GPU: set spec.gpu.count, or use {others}",
                field=".autoscaling",
            )
