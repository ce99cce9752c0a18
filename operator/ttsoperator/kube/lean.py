"""What the cache keeps of an object: what a pass reads, and no more.

Anybody who may create objects in a namespace may give them our labels. So the cache keeps no object that cannot be a
child or a pod of one, and of those only what is bounded: one tenant's objects do not take the memory of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ttsoperator.kube.manifest import Manifest, controller_of
from ttsoperator.names import GROUP, KIND

CONTENT_BYTES: Final = 64 * 1024
"""More than any ConfigMap of ours holds. The content of a longer one is dropped: it differs from ours anyway."""


_OF_CONTAINER: Final = ("name", "image", "resources")


def is_kept(obj: Mapping[str, Any]) -> bool:
    """Return whether an object can be a TTSService, a child of one, also one to adopt, or a pod."""
    controller = controller_of(obj)
    return obj["kind"] == "Pod" or controller is None or controller.get("kind") == KIND


def lean(obj: Mapping[str, Any]) -> Manifest:
    """Return the object without managedFields, which take most of its memory, and without what no pass reads."""
    meta = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
    shortened: Manifest = {**obj, "metadata": meta}
    if obj["kind"] == "Pod":
        return _lean_pod(shortened)
    if obj["kind"] == "ConfigMap":
        return _lean_config_map(shortened)
    return shortened


def _lean_pod(pod: Manifest) -> Manifest:
    meta, spec = pod["metadata"], pod.get("spec") or {}
    annotations = {name: text for name, text in (meta.get("annotations") or {}).items() if name.startswith(GROUP)}
    containers = [{key: each[key] for key in _OF_CONTAINER if key in each} for each in spec.get("containers") or []]
    kept = {key: spec[key] for key in ("nodeName", "volumes") if key in spec}
    return {**pod, "metadata": {**meta, "annotations": annotations}, "spec": {**kept, "containers": containers}}


def _lean_config_map(config_map: Manifest) -> Manifest:
    config_map.pop("binaryData", None)
    size = sum(len(text) for text in (config_map.get("data") or {}).values())
    return {**config_map, "data": {}} if size > CONTENT_BYTES else config_map
