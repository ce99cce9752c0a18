"""PersistentVolumeClaim that stores the model."""

from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.children.model.download import own_claim
from ttsoperator.kube.manifest import Manifest, controller_of
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities
from ttsoperator.spec.model import DEFAULT_SIZE, AccessMode, ReclaimPolicy


def build(context: Context) -> Manifest | None:
    """Return the claim. A claim that a user enlarged keeps its size, because a claim cannot shrink.

    None for an embedded model, which needs no volume, and if the spec names an existing claim.
    """
    service, storage = context.service, context.service.storage
    if service.builtin or storage.existing_claim_name is not None:
        return None
    modes = storage.access_modes or [AccessMode.READ_WRITE_ONCE]
    spec = {
        "accessModes": [mode.value for mode in modes],
        "resources": {
            "requests": {"storage": _size(storage.size or DEFAULT_SIZE, own_claim(service, context.snapshot))}
        },
    }
    if storage.storage_class_name is not None:
        spec["storageClassName"] = storage.storage_class_name
    owned = storage.reclaim_policy is not ReclaimPolicy.RETAIN
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata(service, claim_of(service), names.Component.MODEL, owned=owned),
            "spec": spec,
        }
    )


def unwanted(claim: Manifest, context: Context) -> str | None:
    """Return why to delete the claim of the previous model: the model is builtin now, and no pod mounts the claim."""
    if not context.service.builtin or controller_of(claim) is None:
        return None
    name = claim["metadata"]["name"]
    used = any(_mounts(pod, name) for pod in [*context.snapshot.pod_templates(), *context.snapshot.pods])
    return None if used else "the model is part of the worker image"


def claim_of(service: TTSService) -> str:
    """Return the name of the claim that the pods mount: the service's own or an existing one."""
    return service.storage.existing_claim_name or names.claim_name(service.name)


def _size(asked: str, claim: Manifest | None) -> str:
    if claim is None:
        return asked
    present: str = claim["spec"]["resources"]["requests"]["storage"]
    return present if quantities.value_of(present) > quantities.value_of(asked) else asked


def _mounts(pod: Manifest, claim: str) -> bool:
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return any((volume.get("persistentVolumeClaim") or {}).get("claimName") == claim for volume in volumes)
