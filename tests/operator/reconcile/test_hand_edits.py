"""What a person changes by hand in a child is put right within a few passes, and then nothing is written."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.operator.merging import MERGE_KEYS, MergingCluster
from tests.support.operator.passes import KEY, World, service
from ttscontract.reasons import Reason
from ttsoperator.kube.manifest import Manifest
from ttsoperator.names import LABEL_COMPONENT, LABEL_SERVICE
from ttsoperator.reconcile.drift import covers

Path = tuple[str | int, ...]

DOWNLOADED: Manifest = {
    "engine": "coqui",
    "model": {"source": "https://models.example.com/a.tar"},
    "autoscaling": {"minReplicas": 2},
    "podTemplate": {"env": [{"name": "A", "value": "b"}], "tolerations": [{"key": "a", "operator": "Exists"}]},
    "image": {"pullSecrets": [{"name": "registry"}]},
}
BUILT_IN: Manifest = {"model": {"source": "builtin://hibari"}, "replicas": 2, "resources": {"limits": {"cpu": "1.5"}}}

FIXED: dict[str, list[Path]] = {
    "Deployment": [("spec", "selector")],
    "Job": [("spec",)],
    "PersistentVolumeClaim": [("spec",)],
    "ConfigMap": [("data",), ("immutable",)],
    "": [("apiVersion",), ("kind",), ("status",), *(("metadata", name) for name in ("name", "namespace", "uid"))],
}
"""What the API server lets nobody edit."""
SERVERS: list[Path] = [
    *(("metadata", name) for name in ("resourceVersion", "creationTimestamp", "generation")),
    ("metadata", "ownerReferences", 0),
]
"""What the API server sets, and the owner, of whom the garbage collector deletes what names a wrong one."""
OF_THE_AUTOSCALER: list[Path] = [("spec", "replicas")]
OF_THE_DOWNLOAD: list[Path] = [("metadata", "annotations")]
"""The operator replaces a Job, and reads from its annotations what for."""


async def settled(world: World, spec: Manifest) -> None:
    world.cluster = MergingCluster()
    world.restart()
    world.cluster.seed(service(spec))
    await world.settle()
    for kind, _, name in list(world.cluster.objects):
        if kind == "Job":
            done = {"conditions": [{"type": "Complete", "status": "True"}]}
            world.cluster.seed({**world.object(kind, name), "status": done})
    await world.settle()
    world.workers_become_ready()
    await world.settle()


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in a manifest that has a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from paths(inner, (*at, key))


def editable(child: Manifest, *, autoscaled: bool) -> list[Path]:
    kind = child["kind"]
    fixed = [*FIXED[""], *FIXED.get(kind, []), *(OF_THE_AUTOSCALER if autoscaled and kind == "Deployment" else [])]
    kept = [*fixed, *SERVERS, *(OF_THE_DOWNLOAD if kind == "Job" else [])]
    return [
        path
        for path in paths(child)
        if not any(path[: len(each)] == each for each in kept) and not any(each[: len(path)] == path for each in fixed)
    ]


def edited(child: Manifest, path: Path, how: str) -> Manifest:
    child = copy.deepcopy(child)
    parent: Any = child
    for key in path[:-1]:
        parent = parent[key]
    value = parent[path[-1]]
    if how == "removed":
        del parent[path[-1]]
    elif isinstance(value, bool | dict | list):
        parent[path[-1]] = not value if isinstance(value, bool) else type(value)()
    else:
        parent[path[-1]] = value + 1 if isinstance(value, int) else f"{value}x"
    return child


@pytest.mark.parametrize("how", ["removed", "changed"])
@pytest.mark.parametrize("spec", [BUILT_IN, DOWNLOADED], ids=["built in", "downloaded"])
async def test_every_field_of_every_child_is_put_right(world: World, spec: Manifest, how: str) -> None:
    await settled(world, spec)
    children = [copy.deepcopy(obj) for (k, _, _), obj in world.cluster.objects.items() if k in MERGE_KEYS]
    assert len(children) >= 4
    for good in children:
        kind, name = good["kind"], good["metadata"]["name"]
        rendered = copy.deepcopy(good)
        del rendered["metadata"]["resourceVersion"]
        for path in editable(good, autoscaled="autoscaling" in spec):
            world.cluster.seed(edited(good, path, how))
            await world.settle()
            assert covers(world.object(kind, name), rendered, MERGE_KEYS[kind]), f"{kind} {path} is as it was edited"
        world.cluster.seed(good)
        await world.settle()


@pytest.mark.parametrize("component", [None, "", "model", "worker", "somebody-else"])
async def test_orphans_whose_component_is_wrong_are_adopted(world: World, component: str | None) -> None:
    await settled(world, DOWNLOADED)
    uids = {}
    for (kind, _, name), obj in list(world.cluster.objects.items()):
        if kind in MERGE_KEYS:
            orphan = copy.deepcopy(obj)
            del orphan["metadata"]["ownerReferences"]
            orphan["metadata"]["labels"] |= {LABEL_COMPONENT: component}
            if component is None:
                del orphan["metadata"]["labels"][LABEL_COMPONENT]
            uids[kind, name] = world.cluster.seed(orphan)["metadata"]["uid"]
    world.restart()
    await world.settle()
    for (kind, name), uid in uids.items():
        meta = world.object(kind, name)["metadata"]
        right = "model" if kind in {"Job", "PersistentVolumeClaim"} else "worker"
        assert (meta["uid"], meta["labels"][LABEL_COMPONENT]) == (uid, right)
        assert meta["ownerReferences"]


async def test_a_finished_download_without_labels_is_found_whatever_the_spec_has_become(world: World) -> None:
    """Nobody can change the template of a Job, so its labels come back and nothing else."""
    await settled(world, DOWNLOADED)
    [job] = [copy.deepcopy(obj) for (kind, _, _), obj in world.cluster.objects.items() if kind == "Job"]
    del job["metadata"]["labels"]
    world.cluster.seed(job)
    world.cluster.seed({**world.object("TTSService"), "spec": {**DOWNLOADED, "image": {"tag": "2"}}})
    await world.settle()
    found = world.object("Job", job["metadata"]["name"])
    assert found["metadata"]["labels"][LABEL_SERVICE] == "english"
    assert found["spec"] == job["spec"]
    assert world.condition("Stalled")["status"] == "False"


@pytest.mark.parametrize("gone", [True, False], ids=["deleted", "replaced"])
async def test_an_orphan_that_is_gone_is_forgotten_while_the_watch_is_down(world: World, *, gone: bool) -> None:
    await settled(world, DOWNLOADED)
    [job] = [copy.deepcopy(obj) for (kind, _, _), obj in world.cluster.objects.items() if kind == "Job"]
    del job["metadata"]["ownerReferences"]
    world.cluster.seed(job)
    await world.watch()
    name = job["metadata"]["name"]
    world.cluster.remove("Job", "ns", name)
    if not gone:
        del job["metadata"]["uid"]
        world.cluster.seed(job)
    assert await world.reconciler.reconcile(KEY) == 0.0
    for _ in range(3):
        await world.reconciler.reconcile(KEY)
    assert world.object("Job", name)["metadata"]["ownerReferences"]
    world.cluster.writes.clear()
    await world.reconciler.reconcile(KEY)
    assert not world.cluster.writes


@pytest.mark.parametrize("spec", [BUILT_IN, DOWNLOADED], ids=["built in", "downloaded"])
async def test_an_object_of_somebody_else_in_a_childs_place_is_left_alone_while_the_watch_is_down(
    world: World, spec: Manifest
) -> None:
    """The operator knows the child that was there, and writes to that one only."""
    await settled(world, BUILT_IN | {"autoscaling": {}} if spec is BUILT_IN else spec)
    wanted = spec | {"podTemplate": {"labels": {"a": "b"}}, "service": {"annotations": {"a": "b"}}, "autoscaling": None}
    world.cluster.seed({**world.object("TTSService"), "spec": {k: v for k, v in wanted.items() if v is not None}})
    await world.watch()
    theirs = {}
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler"):
        world.cluster.remove(kind, "ns", "english")
        stranger = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "english", "namespace": "ns"}, "spec": {}}
        theirs[kind] = world.cluster.seed(stranger)
    for _ in range(6):
        await world.reconciler.reconcile(KEY)
    for kind, obj in theirs.items():
        assert world.object(kind) == obj
    assert world.condition("Stalled")["reason"] == Reason.NAME_CONFLICT
