"""PersistentVolumeClaim that holds the model."""

from ttsoperator import names
from ttsoperator.children.model.download import own_claim
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService, quantities
from ttsoperator.spec.model import DEFAULT_SIZE, AccessMode, ReclaimPolicy


def build(service: TTSService, snapshot: Snapshot) -> Manifest:
    """Return the claim. One that was grown by hand keeps its size: a claim cannot shrink."""
    storage = service.storage
    modes = storage.access_modes or [AccessMode.READ_WRITE_ONCE]
    spec = {
        "accessModes": [mode.value for mode in modes],
        "resources": {"requests": {"storage": _size(storage.size or DEFAULT_SIZE, own_claim(service, snapshot))}},
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


def claim_of(service: TTSService) -> str:
    """Return the name of the claim the pods mount, made for the service or an existing one."""
    return service.storage.existing_claim_name or names.claim_name(service.name)


def _size(asked: str, claim: Manifest | None) -> str:
    if claim is None:
        return asked
    present: str = claim["spec"]["resources"]["requests"]["storage"]
    return present if quantities.value_of(present) > quantities.value_of(asked) else asked
