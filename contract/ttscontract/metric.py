"""What a row of the catalogue of metrics (metrics.py) says."""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """Type of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Exporter(StrEnum):
    """Program whose /metrics has the metric."""

    WORKER = "worker"
    DOWNLOAD = "download"
    OPERATOR = "operator"


class Scope(StrEnum):
    """What one value in custom.metrics.k8s.io describes, as autoscaling/v2 names the type of a metric."""

    OBJECT = "Object"
    """The TTSService: the sum over its Ready workers. The API also answers with each worker's own value."""
    PODS = "Pods"
    """One worker. A sum over workers would mean nothing."""


@dataclass(frozen=True)
class ScalingTarget:
    """One integer field of `spec.autoscaling.targets`: the average value per worker that the autoscaler aims at."""

    field: str
    """Name in the spec, in camelCase."""
    help: str
    minimum: int
    maximum: int
    scale: float = 1.0
    """Value of the metric for 1 in the field: 0.01 where the field is a percentage of a ratio."""
    default: int | None = None
    """Value while the spec names no target at all; None leaves this target out."""
    needs_gpu: bool = False
    """Whether only workers with a GPU export the metric."""


@dataclass(frozen=True)
class Metric:
    """One exported metric. `name` is the exported one, so a counter's ends in `_total`."""

    name: str
    type: Type
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, without infinity."""
    optional: bool = False
    """Exported only while its value is known, because a zero would be wrong."""
    scope: Scope | None = None
    """What custom.metrics.k8s.io serves it for; None: it is not served there."""
    scaling: ScalingTarget | None = None
    """The scaling target that aims at this metric; needs a scope."""
    exported_by: Exporter = Exporter.WORKER
