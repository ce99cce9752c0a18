"""Whether a child still has what we rendered, besides what the API server and others have added."""

from collections.abc import Mapping
from typing import Any, Final

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest, annotations
from ttsoperator.spec import quantities

MergeKeys = Mapping[str, tuple[str, ...]]
"""Lists that Kubernetes merges by item, each with the fields that identify an item: others may add items of their own.
Every other list is one value."""

_METADATA: Final[MergeKeys] = {"ownerReferences": ("uid",)}
_QUANTITY_PARENTS: Final = {"requests", "limits"}
_QUANTITY_FIELDS: Final = {"sizeLimit", "averageValue"}


def differs(desired: Manifest, live: Manifest, merge_keys: MergeKeys) -> bool:
    """Return whether to apply `desired`.

    It has to when it is rendered otherwise than what was applied last (the hash also notices a field that is gone), or
    when somebody changed a field of ours.
    """
    rendered, applied = (annotations(manifest).get(names.APPLIED_HASH) for manifest in (desired, live))
    return rendered != applied or not covers(live, desired, {**_METADATA, **merge_keys})


def covers(live: Any, desired: Any, merge_keys: MergeKeys, field: str = "", parent: str = "") -> bool:
    """Return whether `live` has everything in `desired`; it is the value of `field`, within `parent`."""
    if isinstance(desired, Mapping):
        return isinstance(live, Mapping) and all(
            covers(live[key], value, merge_keys, key, field) if key in live else not value
            for key, value in desired.items()
        )
    if isinstance(desired, list):
        return isinstance(live, list) and _covers_list(live, desired, merge_keys, field)
    if live == desired:
        return True
    return (field in _QUANTITY_FIELDS or parent in _QUANTITY_PARENTS) and quantities.same(live, desired)


def _covers_list(live: list[Any], desired: list[Any], merge_keys: MergeKeys, field: str) -> bool:
    keys = merge_keys.get(field, ())
    there, wanted = _by_identity(live, keys), _by_identity(desired, keys)
    if there is None or wanted is None or len(wanted) < len(desired):
        pairs = zip(live, desired, strict=False)
        return len(live) == len(desired) and all(covers(item, asked, merge_keys) for item, asked in pairs)
    return all(identity in there and covers(there[identity], item, merge_keys) for identity, item in wanted.items())


def _by_identity(items: list[Any], keys: tuple[str, ...]) -> dict[tuple[Any, ...], Any] | None:
    """Return the items by the values of `keys`; None for a list whose items these do not identify."""
    found = {}
    for item in items:
        if not keys or not isinstance(item, Mapping):
            return None
        identity = tuple(item.get(key) for key in keys)
        if any(isinstance(value, Mapping | list) for value in identity):
            return None
        found[identity] = item
    return found
