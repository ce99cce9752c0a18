"""The metrics of a HorizontalPodAutoscaler, from the targets that the spec sets."""

from typing import Any

from ttscontract.metric import Scope
from ttsoperator import names
from ttsoperator.spec import quantities
from ttsoperator.spec.targets import Targets


def metrics(service: str, targets: Targets) -> list[dict[str, Any]]:
    """Return `spec.metrics` of the service's HPA. Every target is an average per worker."""
    return [_metric(service, metric.name, metric.scope, average) for metric, average in targets.wanted()]


def _metric(service: str, name: str, scope: Scope | None, average: float) -> dict[str, Any]:
    metric = {
        "metric": {"name": name},
        "target": {"type": "AverageValue", "averageValue": quantities.rendered(average)},
    }
    if scope is Scope.PODS:
        return {"type": "Pods", "pods": metric}
    described = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": service}
    return {"type": "Object", "object": metric | {"describedObject": described}}
