"""HorizontalPodAutoscaler of the workers, fed by the operator's own custom metrics."""

from typing import Any

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities
from ttsoperator.spec.autoscaling import Autoscaling


def build(service: TTSService, autoscaling: Autoscaling) -> Manifest:
    """Return the HPA. It scales the Deployment, not the TTSService: `spec.replicas` stays the user's."""
    return with_applied_hash(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": metadata(service, names.hpa_name(service.name), names.Component.WORKER),
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": names.deployment_name(service.name),
                },
                "minReplicas": autoscaling.min_replicas,
                "maxReplicas": autoscaling.max_replicas,
                "metrics": _metrics(service, autoscaling),
                "behavior": autoscaling.behavior.rendered(),
            },
        }
    )


def _metrics(service: TTSService, autoscaling: Autoscaling) -> list[dict[str, Any]]:
    """Waiting is one number for the whole service, so an Object metric; GPUs are each worker's own."""
    targets, found = autoscaling.targets, list[dict[str, Any]]()
    if targets.queue_depth is not None:
        described = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": service.name}
        target = {"type": "AverageValue", "averageValue": str(targets.queue_depth)}
        metric = {"metric": {"name": "tts_queue_depth"}, "describedObject": described, "target": target}
        found.append({"type": "Object", "object": metric})
    if targets.gpu_utilization_percent is not None:
        value = quantities.milli(targets.gpu_utilization_percent * 10)
        metric = {
            "metric": {"name": "tts_gpu_utilization_ratio"},
            "target": {"type": "AverageValue", "averageValue": value},
        }
        found.append({"type": "Pods", "pods": metric})
    return found
