"""All names that the operator sets or reads: the API group, labels, annotations, children and conditions."""

import hashlib
from enum import StrEnum
from typing import Final

from ttscontract import pods

GROUP: Final = "tts-operator.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "TTSService"
PLURAL: Final = "ttsservices"
SINGULAR: Final = "ttsservice"
SHORT_NAMES: Final = ("tts",)
CATEGORIES: Final = ("tts",)

MANAGER: Final = "tts-operator"
"""Field manager of every server-side apply, and the value of the managed-by label."""
HANDOVER_MANAGER: Final = "tts-operator-handover"
"""Field manager that owns a Deployment's replicas between our last apply of them and the HPA's first."""

LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_SERVICE: Final = f"{GROUP}/service"
CHILD_SELECTOR: Final = f"{LABEL_MANAGED_BY}={MANAGER}"
"""Label selector with which the operator lists and watches children and their pods."""

APPLIED_HASH: Final = f"{GROUP}/applied-hash"
"""On each child: hash of the rendered manifest; it changes when a field is added, changed or removed."""
TEMPLATE_HASH: Final = f"{GROUP}/template-hash"
"""On the worker pod template: hash of the rest of the template, which identifies the template of a pod."""
MODEL_KEY: Final = f"{GROUP}/model-key"
"""On the Deployment: key of the model it serves, empty for the embedded one."""
ENGINE: Final = f"{GROUP}/engine"
"""On the Deployment: engine of the model it serves."""
SCALED_BY: Final = f"{GROUP}/scaled-by"
"""On the Deployment: who sets its replicas, `spec` (our apply owns them) or `autoscaler` (our apply omits them)."""
ATTEMPT: Final = f"{GROUP}/attempt"
"""On a Job: how many Jobs before it failed in the same generation of the spec."""
GENERATION: Final = f"{GROUP}/generation"
"""On a Job: generation of the spec it was created for; a newer one retries a failed Job at once."""
LAST_FAILURE: Final = f"{GROUP}/last-failure"
"""On a Job: JSON reason and message of the failed one it replaced."""


class Component(StrEnum):
    """The component that a child or pod belongs to."""

    WORKER = "worker"
    MODEL = "model"


class Condition(StrEnum):
    """Condition types of a TTSService, in the order of the status."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    MODEL_READY = "ModelReady"
    WORKLOAD_AVAILABLE = "WorkloadAvailable"
    AUTOSCALING_ACTIVE = "AutoscalingActive"
    ADD_ONS_INSTALLED = "AddOnsInstalled"


def service_account_name(service: str) -> str:
    """ServiceAccount of the worker and Job pods; it has no rights."""
    return f"{service}-worker"


def config_map_name(service: str, content: str) -> str:
    """ConfigMap with worker.json; each content has its own ConfigMap."""
    return f"{service}-worker-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def claim_name(service: str) -> str:
    """PersistentVolumeClaim that the operator creates if the spec names none."""
    return f"{service}-model"


def job_name(service: str, source: str, sha256: str | None) -> str:
    """Download Job of one model; each source and checksum has its own Job."""
    return f"{service}-model-{_hash(source, sha256)[:10]}"


def deployment_name(service: str) -> str:
    """Deployment of the workers."""
    return service


def service_name(service: str) -> str:
    """Service in front of the workers."""
    return service


def hpa_name(service: str) -> str:
    """HorizontalPodAutoscaler of the workers."""
    return service


def model_key(source: str, sha256: str | None) -> str:
    """Folder of one model on the volume; each source and checksum has its own folder."""
    return f"m-{_hash(source, sha256)[:16]}"


def service_url(service: str, namespace: str) -> str:
    """Address of the HTTP API inside the cluster."""
    return f"http://{service_name(service)}.{namespace}.svc:{pods.HTTP_PORT}"


def pod_labels(service: str, component: Component) -> dict[str, str]:
    """Labels of every child and pod."""
    return {
        LABEL_NAME: "tts-worker",
        LABEL_INSTANCE: service,
        LABEL_MANAGED_BY: MANAGER,
        LABEL_COMPONENT: component.value,
        LABEL_SERVICE: service,
    }


def worker_selector(service: str) -> dict[str, str]:
    """Labels by which the Deployment, the Service and the HPA select worker pods; they never change."""
    return {LABEL_SERVICE: service, LABEL_COMPONENT: Component.WORKER.value}


def _hash(source: str, sha256: str | None) -> str:
    return hashlib.sha256(f"{source}\n{sha256 or ''}".encode()).hexdigest()
