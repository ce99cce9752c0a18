"""The metadata of every child: labels, owner, and the hash of the rendered manifest."""

import hashlib
import json
from typing import Any

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest, annotations
from ttsoperator.spec import TTSService


def metadata(service: TTSService, name: str, component: names.Component, *, owned: bool = True) -> dict[str, Any]:
    """Return a child's metadata; a child that is not `owned` outlives its service."""
    found: dict[str, Any] = {
        "name": name,
        "namespace": service.namespace,
        "labels": names.pod_labels(service.name, component),
    }
    if owned:
        found["ownerReferences"] = [owner_reference(service)]
    return found


def owner_reference(service: TTSService) -> dict[str, Any]:
    """Return the owner reference that makes garbage collection delete a child with its service."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": service.name,
        "uid": service.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def digest(content: object) -> str:
    """Return a short hash of any JSON content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def annotated(manifest: Manifest, more: dict[str, str]) -> Manifest:
    """Return the manifest with annotations added."""
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {**annotations(manifest), **more}}}


def with_applied_hash(manifest: Manifest) -> Manifest:
    """Return the manifest annotated with its own hash, which reveals when a field is no longer rendered."""
    return annotated(manifest, {names.APPLIED_HASH: digest(manifest)})
