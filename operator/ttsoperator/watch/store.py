"""The cache of the cluster: the last seen version of every watched object.

kopf's own indexes are not enough: they do not see the operator's own writes (a pass would act on data older than its
last write), and when a watch lists again they keep objects that were deleted meanwhile. This cache keeps the newest
resourceVersion, whether from a watch event, the answer to a write, or a list.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ttsoperator.kube.lean import is_kept, lean
from ttsoperator.kube.manifest import Manifest, Ref
from ttsoperator.kube.resources import Resource
from ttsoperator.names import KIND, LABEL_SERVICE

REMEMBERED_DELETIONS = 4096  # enough for every event that may still arrive


class Key(NamedTuple):
    """Namespace and name of a TTSService."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def key_of(obj: Mapping[str, Any]) -> Key | None:
    """Return the service that `obj` is, or that its label names; None for any other object."""
    meta = obj["metadata"]
    name = meta["name"] if obj["kind"] == KIND else (meta.get("labels") or {}).get(LABEL_SERVICE)
    return Key(meta["namespace"], name) if name else None


class Cache:
    """Objects by service. The cache shares the objects that it returns: never modify them."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str, str], Manifest] = {}
        self._of_service: defaultdict[Key, set[tuple[str, str, str]]] = defaultdict(set)
        self._deleted: OrderedDict[str, int] = OrderedDict()
        self.missing: dict[Resource, str] = {}
        """Optional kinds that cannot be used now, each with the reason; their cached objects are outdated."""

    def put(self, obj: Mapping[str, Any], *, listed: bool = False) -> bool:
        """Store `obj` unless the cache has a newer version; return True if that changed the cache.

        A `listed` object also replaces the same version with another spec: a watch older than the last upgrade of the
        CRD omits the new fields. An object that cannot be ours is not stored; one that was ours is dropped then.
        """
        meta = obj["metadata"]
        identity = (obj["kind"], meta["namespace"], meta["name"])
        known = self._objects.get(identity)
        if not is_kept(obj):
            if known is None or known["metadata"]["uid"] != meta["uid"] or _version(obj) <= _version(known):
                return False
            self.drop(obj)
            return True
        newest = max(self._deleted.get(meta["uid"], -1), _version(known) if known is not None else -1)
        whole = listed and known is not None and _version(obj) == newest and lean(obj).get("spec") != known.get("spec")
        if _version(obj) <= newest and not whole:
            return False
        if known is not None:
            self._forget(identity)
        self._objects[identity] = lean(obj)
        if key := key_of(obj):
            self._of_service[key].add(identity)
        return True

    def drop(self, obj: Mapping[str, Any], version: int | None = None) -> None:
        """Remove an object that was gone at `version` (default: its own); late events do not restore it.

        A newer event does: a watch by label reports an object as deleted when it lost the label, which may come back.
        """
        meta = obj["metadata"]
        identity = (obj["kind"], meta["namespace"], meta["name"])
        self._deleted[meta["uid"]] = _version(obj) if version is None else version
        if len(self._deleted) > REMEMBERED_DELETIONS:
            self._deleted.popitem(last=False)
        known = self._objects.get(identity)
        if known is not None and known["metadata"]["uid"] == meta["uid"]:
            self._forget(identity)

    def drop_gone(self, target: Ref) -> None:
        """Remove an object that the API server just deleted for the operator."""
        known = self._objects.get((target.kind, target.namespace, target.name))
        if known is not None and target.uid in (None, known["metadata"]["uid"]):
            self.drop(known)

    def replace(self, kind: str, namespace: str | None, objects: Iterable[Mapping[str, Any]], version: int) -> set[Key]:
        """Replace all objects of `kind` by a list made at resourceVersion `version`; return the changed services."""
        listed = list(objects)
        changed = {key for obj in listed if self.put(obj, listed=True) and (key := key_of(obj))}
        present = {obj["metadata"]["uid"] for obj in listed}
        for identity, known in list(self._objects.items()):
            covered = identity[0] == kind and namespace in (None, identity[1]) and _version(known) <= version
            if covered and known["metadata"]["uid"] not in present:
                self.drop(known, version)
                if key := key_of(known):
                    changed.add(key)
        return changed

    def service(self, key: Key) -> Manifest | None:
        """Return the TTSService."""
        return self._objects.get((KIND, key.namespace, key.name))

    def owner(self, obj: Mapping[str, Any]) -> Key | None:
        """Return the service of the cached version of `obj`, whose labels may name another service now."""
        meta = obj["metadata"]
        known = self._objects.get((obj["kind"], meta["namespace"], meta["name"]))
        return None if known is None else key_of(known)

    def services(self) -> list[Key]:
        """Return every TTSService."""
        return [Key(namespace, name) for kind, namespace, name in self._objects if kind == KIND]

    def owned(self, key: Key) -> Iterator[Manifest]:
        """Yield all objects labelled with the service: children and pods, unordered."""
        for identity in tuple(self._of_service.get(key, ())):
            if identity[0] != KIND:
                yield self._objects[identity]

    def pods(self, namespace: str) -> Iterator[Manifest]:
        """Yield the pods of every service of a namespace."""
        return (obj for (kind, ns, _), obj in self._objects.items() if kind == "Pod" and ns == namespace)

    def _forget(self, identity: tuple[str, str, str]) -> None:
        if key := key_of(self._objects.pop(identity)):
            self._of_service[key].discard(identity)
            if not self._of_service[key]:
                del self._of_service[key]


def _version(obj: Mapping[str, Any]) -> int:
    """Return the resourceVersion, which grows: Kubernetes guarantees it since 1.35, and it was true before."""
    return int(obj["metadata"]["resourceVersion"])
