"""What of a TTSService is in the cluster now, as plain manifests: the input of the plan and of the status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from . import names
from .spec import TTSService

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Ref:
    """One object of the cluster; `uid`, where known, is a precondition of deleting it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str | None = None


@dataclass(frozen=True)
class Live:
    """The children that are ours (see `ownership`) by kind and name, and the pods labelled with the service's name."""

    children: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    pods: Sequence[Manifest] = ()

    def get(self, kind: str, name: str) -> Manifest | None:
        """Return the child, or None where there is none."""
        return self.children.get((kind, name))

    def of_kind(self, kind: str) -> list[Manifest]:
        """Return all children of one kind, by name."""
        return [child for (k, _), child in sorted(self.children.items()) if k == kind]

    def pods_of(self, component: names.Component) -> list[Manifest]:
        """Return the pods of the workers or of the download, those being deleted left out."""
        return [
            pod
            for pod in self.pods
            if labels(pod).get(names.LABEL_COMPONENT) == component.value and not is_deleting(pod)
        ]


class Ownership(Enum):
    """Whose an object is that has the name of a child."""

    OURS = "ours"
    FORMER = "former"
    """Of a TTSService of the same name that is gone: garbage collection will take it."""
    FOREIGN = "foreign"
    """Somebody else's: never taken over."""


def ownership(manifest: Mapping[str, Any], service: TTSService) -> Ownership:
    """Tell whose `manifest` is: by its controller reference, a retained claim (it has none) by its labels."""
    controller = controller_of(manifest)
    if controller is None:
        found = labels(manifest)
        retained = (
            manifest.get("kind") == "PersistentVolumeClaim"
            and found.get(names.LABEL_MANAGED_BY) == names.MANAGER
            and found.get(names.LABEL_SERVICE) == service.name
        )
        return Ownership.OURS if retained else Ownership.FOREIGN
    if controller.get("uid") == service.uid:
        return Ownership.OURS
    same_name = controller.get("kind") == names.KIND and controller.get("name") == service.name
    return Ownership.FORMER if same_name else Ownership.FOREIGN


def controller_of(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the controller owner reference, if there is one."""
    references: list[dict[str, Any]] = manifest["metadata"].get("ownerReferences") or []
    return next((r for r in references if r.get("controller")), None)


def ref(manifest: Mapping[str, Any]) -> Ref:
    """Return the reference of a manifest, with its uid if it came from the cluster."""
    metadata = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"], metadata.get("uid"))


def labels(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels, empty where there are none."""
    return manifest["metadata"].get("labels") or {}


def annotations(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the annotations, empty where there are none."""
    return manifest["metadata"].get("annotations") or {}


def is_deleting(manifest: Mapping[str, Any]) -> bool:
    """Tell whether the object waits for its finalizers or its grace period."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def condition(manifest: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the status condition of a type, if there is one."""
    conditions: list[dict[str, Any]] = (manifest.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), None)


def has_condition(manifest: Mapping[str, Any], kind: str) -> bool:
    """Tell whether the status condition of a type is True."""
    found = condition(manifest, kind)
    return found is not None and found.get("status") == "True"


def timestamp(text: str) -> datetime:
    """Parse a Kubernetes time (RFC 3339, UTC)."""
    return datetime.fromisoformat(text)
