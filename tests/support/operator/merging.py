"""An API server in memory whose apply merges like the real one, where nobody stopped asking for a field."""

import copy
from collections.abc import Mapping
from typing import Any

from tests.support.operator.fakes import FakeCluster
from ttsoperator.children.registry import CHILDREN
from ttsoperator.kube.errors import Refused
from ttsoperator.kube.manifest import Manifest, ref

MERGE_KEYS = {row.resource.kind: {"ownerReferences": ("uid",), **row.merge_keys} for row in CHILDREN}


class MergingCluster(FakeCluster):
    """Keeps what others added, merges lists by their keys, and refuses two ports of one name."""

    async def apply(self, manifest: Manifest) -> Manifest:
        live = copy.deepcopy(await self.get(ref(manifest)))
        whole: Manifest = _merged(live, manifest, MERGE_KEYS[manifest["kind"]])
        if _has_twin_ports(whole):
            self.writes.append(("refused apply", manifest["kind"], manifest["metadata"]["name"]))
            raise Refused(422, "ports[1].name: Duplicate value")
        return await super().apply(whole)


def _merged(live: Any, wanted: Any, keys: Mapping[str, tuple[str, ...]], field: str = "") -> Any:
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        return {**live, **{name: _merged(live.get(name), value, keys, name) for name, value in wanted.items()}}
    if isinstance(live, list) and isinstance(wanted, list) and field in keys:
        items = {_identity(item, keys[field]): item for item in live}
        for item in wanted:
            identity = _identity(item, keys[field])
            items[identity] = _merged(items.get(identity), item, keys)
        return list(items.values())
    return wanted


def _identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(item.get(key)) for key in keys)


def _has_twin_ports(value: Any) -> bool:
    if isinstance(value, Mapping):
        names = [port.get("name") for port in value.get("ports", [])]
        return len(set(names)) < len(names) or any(_has_twin_ports(each) for each in value.values())
    return isinstance(value, list) and any(_has_twin_ports(each) for each in value)
