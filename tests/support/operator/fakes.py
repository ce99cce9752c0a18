"""An API server in memory: names, uids, resourceVersions, preconditions and merge patches are the real rules."""

import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from ttsoperator.kube.errors import AlreadyExists, ApiError, Conflict, NotFound, Refused
from ttsoperator.kube.manifest import Manifest, Ref, ref


class FakeCluster:
    """Implements `KubeClient`. `writes` lists what was written; `refuse` may turn a request down.

    It serves every API of Kubernetes, and of add-ons what is installed.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Manifest] = {}
        self.add_ons: dict[str, set[str]] = {}
        self.handed_over: set[str] = set()
        self.writes: list[tuple[str, str, str]] = []
        self.refuse: Callable[[str, str, str], ApiError | None] = lambda _verb, _kind, _name: None
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)

    def seed(self, manifest: Mapping[str, Any]) -> Manifest:
        """Put an object there as if somebody else had."""
        obj = copy.deepcopy(dict(manifest))
        meta = obj["metadata"]
        meta.setdefault("uid", f"uid-{next(self._uids)}")
        meta.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        meta["resourceVersion"] = str(next(self._versions))
        self.objects[obj["kind"], meta["namespace"], meta["name"]] = obj
        return copy.deepcopy(obj)

    def remove(self, kind: str, namespace: str, name: str) -> Manifest:
        """Take an object away as if somebody else had."""
        return self.objects.pop((kind, namespace, name))

    def install(self, api_version: str, *kinds: str) -> None:
        """Serve the API of an add-on."""
        self.add_ons[api_version] = set(kinds)

    def uninstall(self, api_version: str) -> None:
        """Serve an add-on's API no more; its objects go with it."""
        self.add_ons[api_version] = set()
        self.objects = {key: obj for key, obj in self.objects.items() if obj["apiVersion"] != api_version}

    def kinds(self) -> set[str]:
        return {kind for kind, _, _ in self.objects}

    async def get(self, target: Ref) -> Manifest:
        self._check_served(target.api_version)
        return copy.deepcopy(self._find(target))

    async def create(self, manifest: Manifest) -> Manifest:
        target = ref(manifest)
        self._write("create", target)
        if (target.kind, target.namespace, target.name) in self.objects:
            raise AlreadyExists(409, f"{target.name} already exists")
        return self.seed(manifest)

    async def apply(self, manifest: Manifest) -> Manifest:
        target = ref(manifest)
        self._write("apply", target)
        live = self._find(target)
        if target.uid != live["metadata"]["uid"]:
            raise NotFound(404, f"another {target.kind} has the name {target.name} now")
        if live.get("immutable") and live["data"] != manifest["data"]:
            raise Refused(422, "data: Forbidden: field is immutable when `immutable` is set")
        if target.kind == "Job" and live["spec"]["template"] != manifest["spec"]["template"]:
            raise Refused(422, "spec.template: Invalid value: field is immutable")
        kept = {"uid", "creationTimestamp"}
        merged = copy.deepcopy(manifest)
        merged["metadata"] |= {name: live["metadata"][name] for name in kept}
        if "status" in live:
            merged["status"] = live["status"]
        if target.name in self.handed_over and target.kind == "Deployment":
            merged["spec"].setdefault("replicas", live["spec"]["replicas"])
        return self.seed(merged)

    async def hand_over_replicas(self, deployment: Ref, replicas: int) -> Manifest:
        self._write("hand over", deployment)
        live = copy.deepcopy(self._find(deployment))
        if deployment.uid not in (None, live["metadata"]["uid"]):
            raise NotFound(404, f"another {deployment.kind} has the name {deployment.name} now")
        live["spec"]["replicas"] = replicas
        self.handed_over.add(deployment.name)
        return self.seed(live)

    async def delete(self, target: Ref) -> Manifest | None:
        self._write("delete", target)
        found = self.objects.get((target.kind, target.namespace, target.name))
        if found is None or (target.uid and target.uid != found["metadata"]["uid"]):
            return None
        self.remove(target.kind, target.namespace, target.name)
        return None

    async def patch(self, target: Ref, body: Mapping[str, Any], subresource: str = "") -> Manifest:
        self._write(f"patch {subresource}".strip(), target)
        live = copy.deepcopy(self._find(target))
        expected = body.get("metadata", {})
        if expected.get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
            raise NotFound(404, f"another {target.kind} has the name {target.name} now")
        if expected.get("resourceVersion", live["metadata"]["resourceVersion"]) != live["metadata"]["resourceVersion"]:
            raise Conflict(409, "the object has been modified")
        return self.seed(merged(live, body))

    async def list_objects(
        self, api_version: str, kind: str, namespace: str | None, **selectors: str
    ) -> tuple[list[Manifest], int]:
        if error := self.refuse("list", kind, ""):
            raise error
        self._check_served(api_version)
        wanted = dict(t.split("=") for t in selectors.get("labelSelector", "").split(",") if t)
        found = [
            copy.deepcopy(obj)
            for (k, ns, _), obj in self.objects.items()
            if k == kind
            and namespace in (None, ns)
            and obj["apiVersion"] == api_version
            and wanted.items() <= (obj["metadata"].get("labels") or {}).items()
        ]
        return found, next(self._versions)

    async def served_kinds(self, api_version: str) -> set[str]:
        if error := self.refuse("discover", api_version, ""):
            raise error
        return self.add_ons.get(api_version, set())

    def _check_served(self, api_version: str) -> None:
        if not self.add_ons.get(api_version, {"of Kubernetes"}):
            raise Refused(404, "the cluster does not serve this API: is its CRD or add-on installed?")

    def _find(self, target: Ref) -> Manifest:
        try:
            return self.objects[target.kind, target.namespace, target.name]
        except KeyError:
            raise NotFound(404, f"{target.kind} {target.name} not found") from None

    def _write(self, verb: str, target: Ref) -> None:
        self.writes.append((verb, target.kind, target.name))
        if error := self.refuse(verb, target.kind, target.name):
            raise error
        self._check_served(target.api_version)


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7386, as its pseudo-code has it."""
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result
