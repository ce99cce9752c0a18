"""The common parts of the worker and download pods: image, placement, security, volumes."""

from typing import Any, Final

from ttscontract.pods import USER_ID
from ttsoperator import names
from ttsoperator.children.context import Defaults
from ttsoperator.spec import TTSService
from ttsoperator.spec.model import AccessMode
from ttsoperator.spec.scheduling import Affinity

_HOSTNAME: Final = "kubernetes.io/hostname"


POD_SECURITY: Final[dict[str, Any]] = {
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "runAsGroup": USER_ID,
    "fsGroup": USER_ID,
    # A model's files already have the group; changing it again would take minutes at each start.
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: Final[dict[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
TMP_VOLUME: Final[dict[str, Any]] = {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}
TMP_MOUNT: Final[dict[str, Any]] = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - the pod's own folder


def image_of(service: TTSService, defaults: Defaults) -> str:
    """Return the worker image: the operator's, with the repository, and the tag or digest, of the spec if set."""
    repository, suffix = _split(defaults.worker_image)
    image = service.spec.image
    if image is None:
        return repository + suffix
    if image.digest or image.tag:
        suffix = f"@{image.digest}" if image.digest else f":{image.tag}"
    return (image.repository or repository) + suffix


def _split(image: str) -> tuple[str, str]:
    """Split an image into its repository and its `:tag`, `@digest` or both; a colon before a slash is a port."""
    named = image.partition("@")[0]
    colon = named.find(":", named.rfind("/") + 1)
    at = len(named) if colon < 0 else colon
    return image[:at], image[at:]


def container(service: TTSService, defaults: Defaults, name: str, command: list[str]) -> dict[str, Any]:
    """Return the common fields of both containers; the caller adds the rest."""
    image = service.spec.image
    policy = image.pull_policy if image is not None else None
    return {
        "name": name,
        "image": image_of(service, defaults),
        "imagePullPolicy": policy.value if policy else defaults.worker_image_pull_policy,
        "command": command,
        "securityContext": CONTAINER_SECURITY,
        # If the program dies without a termination message, Kubernetes uses the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def environment(service: TTSService) -> list[dict[str, Any]]:
    """Return the variables of the spec."""
    template = service.spec.pod_template
    return [variable.rendered() for variable in template.env or []] if template else []


def template_metadata(service: TTSService, component: names.Component) -> dict[str, Any]:
    """Return a pod template's metadata: the user's labels and annotations, and our labels."""
    template = service.spec.pod_template
    labels = (template.labels if template else None) or {}
    annotations = (template.annotations if template else None) or {}
    return {"labels": {**labels, **names.pod_labels(service.name, component)}, "annotations": dict(annotations)}


def pod_spec(service: TTSService, *, on_volume: bool) -> dict[str, Any]:
    """Return the part of a pod's spec with its placement, security and identity.

    `on_volume`: the pod mounts the model's volume. A volume for only one node keeps its pods on that node.
    """
    found: dict[str, Any] = {
        "serviceAccountName": names.service_account_name(service.name),
        "automountServiceAccountToken": False,
        # The worker would read variables of Services, such as TTSWORKER_PORT of one named ttsworker, as its settings.
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
    }
    image = service.spec.image
    if image is not None and image.pull_secrets:
        found["imagePullSecrets"] = [secret.rendered() for secret in image.pull_secrets]
    return found | _placement(service, together=on_volume and is_pinned(service))


def is_pinned(service: TTSService) -> bool:
    """Return whether only one node at a time can use the volume."""
    return AccessMode.READ_WRITE_MANY not in (service.storage.access_modes or [AccessMode.READ_WRITE_ONCE])


def _placement(service: TTSService, *, together: bool) -> dict[str, Any]:
    template = service.spec.pod_template
    found: dict[str, Any] = {}
    affinity = _affinity(template.affinity if template else None, service.name, together=together)
    if affinity:
        found["affinity"] = affinity
    if template is None:
        return found
    if template.node_selector:
        found["nodeSelector"] = template.node_selector
    if template.tolerations:
        found["tolerations"] = [toleration.rendered() for toleration in template.tolerations]
    if template.priority_class_name:
        found["priorityClassName"] = template.priority_class_name
    if template.runtime_class_name:
        found["runtimeClassName"] = template.runtime_class_name
    return found


def _affinity(asked: Affinity | None, service_name: str, *, together: bool) -> dict[str, Any]:
    """Return the user's affinity; `together` adds a term for the node of the service's other pods.

    The term matches the pod itself, so the scheduler lets the first one run anywhere.
    """
    affinity = asked.rendered() if asked else {}
    if not together:
        return affinity
    own = {"topologyKey": _HOSTNAME, "labelSelector": {"matchLabels": {names.LABEL_SERVICE: service_name}}}
    near = affinity.get("podAffinity", {})
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    return {**affinity, "podAffinity": {**near, key: [*near.get(key, []), own]}}
