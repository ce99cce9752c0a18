"""API objects as plain data, and functions that read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ttsoperator.names import LABEL_COMPONENT

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Ref:
    """A reference to one object of the cluster; `uid`, if known, is a precondition of deleting it."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str | None = None


def controller_of(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the controller owner reference, else None."""
    references: list[dict[str, Any]] = manifest["metadata"].get("ownerReferences") or []
    return next((r for r in references if r.get("controller")), None)


def ref(manifest: Mapping[str, Any]) -> Ref:
    """Return the reference of a manifest, with its uid if it came from the cluster."""
    metadata = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"], metadata.get("uid"))


def identified(manifest: Manifest, there: Mapping[str, Any]) -> Manifest:
    """Return the manifest for the object that is there, and for no other one of its name."""
    return {**manifest, "metadata": {**manifest["metadata"], "uid": there["metadata"]["uid"]}}


def labels(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels, empty without any."""
    return manifest["metadata"].get("labels") or {}


def component_of(manifest: Mapping[str, Any]) -> str | None:
    """Return the component in the labels of a child or pod, else None."""
    return labels(manifest).get(LABEL_COMPONENT)


def annotations(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the annotations, empty without any."""
    return manifest["metadata"].get("annotations") or {}


def is_deleting(manifest: Mapping[str, Any]) -> bool:
    """Return whether the object waits for its finalizers or its grace period."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def has_ended(pod: Mapping[str, Any]) -> bool:
    """Return whether all containers of a pod have ended for good, as those of an evicted one."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def condition(manifest: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """Return the status condition of a type, else None."""
    conditions: list[dict[str, Any]] = (manifest.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), None)


def has_condition(manifest: Mapping[str, Any], kind: str) -> bool:
    """Return whether the status condition of a type is True."""
    found = condition(manifest, kind)
    return found is not None and found.get("status") == "True"


def timestamp(text: str) -> datetime:
    """Parse a Kubernetes time (RFC 3339, UTC)."""
    return datetime.fromisoformat(text)


def time_text(moment: datetime) -> str:
    """Format a UTC time as metav1.Time: with seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_time_text(moment: datetime) -> str:
    """Format a UTC time as metav1.MicroTime, as in a Lease: with microseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
