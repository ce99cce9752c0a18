"""The operator is killed after write n, for every n of a life cycle: same result, and nothing exists twice."""

import difflib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.cluster import setup
from tests.support.cluster.files import FileServer
from tests.support.cluster.installed import RELEASE, Operator
from tests.support.cluster.kubectl import Kubectl, Object
from tests.support.cluster.manifests import SMALL
from tests.support.cluster.process import OperatorProcess
from tests.support.cluster.proxy import Writes
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

pytestmark = pytest.mark.alone

AT_ONCE = 4
"""Life cycles that run side by side, each with an operator and a namespace of its own."""
LOOK_SECONDS = 1.0
"""Between two looks at one of them: kubectl, started again and again, would be most of the machine's work."""


@pytest.fixture
def elsewhere(operator: Operator) -> Iterator[Operator]:
    """The installed operator stopped: this story runs its own."""
    operator.kubectl("scale", f"deployment/{RELEASE}", "--replicas=0")
    operator.until_running(0)
    yield operator
    operator.scale(1)


def test_killed_after_every_write(
    kubectl: Kubectl, elsewhere: Operator, files: FileServer, worker_image: str, tmp_path: Path
) -> None:
    def life(kill_after: int | None) -> tuple[list[Object], Writes]:
        with setup.namespace(kubectl, f"crash-{kill_after or 'never'}") as name:
            tenant = Tenant(kubectl.kubeconfig, name)
            folder = tmp_path / name
            folder.mkdir()
            operator = OperatorProcess(tenant, folder, worker_image)
            try:
                with operator.running(kill_after) as writes:
                    return _live_through(tenant, files), writes
            except AssertionError as failure:
                log = "\n".join(operator.log.read_text().splitlines()[-40:])
                raise AssertionError(f"killed after write {kill_after}: {failure}\n{log}") from failure

    mark = elsewhere.audit.now()
    undisturbed, _ = life(None)
    every = range(1, len(elsewhere.writes_since(mark)) + 1)
    assert len(every) > 15, "a life cycle takes more writes than that"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (stages, writes) in zip(every, pool.map(life, every), strict=True):
            assert not (difference := _difference(undisturbed, stages)), f"killed after write {number}:\n{difference}"
            # How often the status is written depends on what is seen together: the last kills may find nothing to kill.
            assert writes.over or number > len(every) - 5, f"only {writes.count} writes"


def _difference(expected: list[Object], found: list[Object]) -> str:
    """What differs, line by line."""
    before, after = (json.dumps(stages, indent=1, sort_keys=True).splitlines() for stages in (expected, found))
    return "\n".join(difflib.unified_diff(before, after, "undisturbed", "killed", lineterm="", n=12))


def _live_through(tenant: Tenant, files: FileServer) -> list[Object]:
    """Create, edit and delete a service; what was there at each stage. Only one has workers to wait for."""
    stages = []
    downloaded: dict[str, Any] = {"engine": "hibari", "model": files.model, "storage": {"size": "100Mi"}}
    for spec in (
        {**downloaded, "replicas": 0},
        {**downloaded, "replicas": 0, "resources": {**SMALL, "requests": {"cpu": "30m"}}},
        {"replicas": 0, "autoscaling": {"maxReplicas": 2}},
        {"replicas": 0},
    ):
        tenant.serve("english", **spec)
        kinds = {"ServiceAccount", "ConfigMap", "Deployment", "Service"}
        kinds |= {"PersistentVolumeClaim", "Job"} if "storage" in spec else set()
        kinds |= {"HorizontalPodAutoscaler"} if "autoscaling" in spec else set()
        stages.append(eventually(partial(_settled, tenant, kinds), every=LOOK_SECONDS))
    tenant.delete("tts", "english")
    eventually(lambda: not tenant.child_names("english"), every=LOOK_SECONDS)
    return stages


def _settled(tenant: Tenant, kinds: set[str]) -> Object:
    """What is there once nothing is in progress any more: the conditions, and every child as it is wanted.

    A claim and a former ConfigMap go last, when no pod mounts them any more: nothing but their absence tells.
    """
    service = tenant.service("english")
    assert service.get("status", {}).get("observedGeneration") == service["metadata"]["generation"]
    conditions = {each["type"]: f"{each['status']} {each['reason']}" for each in service["status"]["conditions"]}
    conditions.pop("AutoscalingActive", None)  # who serves the metrics is the operator that is stopped
    assert conditions["Reconciling"].startswith("False"), conditions
    children = tenant.children("english")
    assert not any("deletionTimestamp" in child["metadata"] for child in children)
    assert sorted(child["kind"] for child in children) == sorted(kinds)
    assert len(tenant.list("pod", "app.kubernetes.io/component=model")) <= 1, "the Job ran twice"
    content = {f"{child['kind']}/{child['metadata']['name']}": _content(child) for child in children}
    return {
        "conditions": conditions,
        "children": json.loads(json.dumps(content).replace(tenant.namespace, "NAMESPACE")),
    }


# What Kubernetes chooses, differently each time.
CHOSEN = {"clusterIP", "clusterIPs", "volumeName", "controller-uid", "batch.kubernetes.io/controller-uid"}


def _content(value: Any) -> Any:
    """The part of a child that somebody asked for."""
    if isinstance(value, list):
        return [_content(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "kind" in value and "metadata" in value:
        asked = {key: part for key, part in value.items() if key not in {"metadata", "status"}}
        return {**_content(asked), "labels": value["metadata"]["labels"]}
    return {key: _content(part) for key, part in value.items() if key not in CHOSEN}
