"""Whether a live child still is what we rendered, whatever the API server and others have added to it."""

from collections.abc import Mapping
from typing import Any, Final

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest, annotations
from ttsoperator.spec import quantities

_MERGE_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port", "protocol"),
}
"""Lists that Kubernetes merges by item: others may add items of their own. Every other list is one value."""

_QUANTITY_PARENTS: Final = {"requests", "limits"}
_QUANTITY_FIELDS: Final = {"sizeLimit", "averageValue"}


def differs(desired: Manifest, live: Manifest) -> bool:
    """Tell whether `desired` has to be applied.

    It has to when it is rendered otherwise than what was applied last (the hash also notices a field that is gone), or
    when somebody changed a field of ours.
    """
    rendered, applied = (annotations(manifest).get(names.APPLIED_HASH) for manifest in (desired, live))
    return rendered != applied or not covers(live, desired)


def covers(live: Any, desired: Any, field: str = "", parent: str = "") -> bool:
    """Tell whether `live` has everything `desired` asks for; `field` and `parent` are the names it stands under."""
    if isinstance(desired, Mapping):
        return isinstance(live, Mapping) and all(
            covers(live[key], value, key, field) if key in live else not value for key, value in desired.items()
        )
    if isinstance(desired, list):
        return isinstance(live, list) and _covers_list(live, desired, field)
    if live == desired:
        return True
    return (field in _QUANTITY_FIELDS or parent in _QUANTITY_PARENTS) and quantities.same(live, desired)


def _covers_list(live: list[Any], desired: list[Any], field: str) -> bool:
    keys = _MERGE_KEYS.get(field)
    if keys is None:
        return len(live) == len(desired) and all(map(covers, live, desired))
    items = {_identity(item, keys): item for item in live}
    return all((identity := _identity(item, keys)) in items and covers(items[identity], item) for item in desired)


def _identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(item.get(key) for key in keys)
