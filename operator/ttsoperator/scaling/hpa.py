"""HorizontalPodAutoscaler of the workers. It reads the custom metrics that the operator serves."""

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.scaling import targets
from ttsoperator.spec import TTSService
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
                "metrics": targets.metrics(service.name, autoscaling.targets),
                "behavior": autoscaling.behavior.rendered(),
            },
        }
    )
