"""The operator restores its own fields and keeps what others add."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.cluster.files import FileServer
from tests.support.cluster.kubectl import KubectlError, Object
from tests.support.cluster.manifests import SMALL
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually, holds

NAME = "whole"
AUTOSCALED = {"minReplicas": 1, "maxReplicas": 3}


@pytest.fixture(scope="module")
def whole(shared: Tenant, files: FileServer) -> Tenant:
    """A service with a child of every kind."""
    shared.serve(NAME, engine="hibari", model=files.model, autoscaling=AUTOSCALED)
    shared.until_ready(NAME)
    kinds = {child["kind"] for child in shared.children(NAME)}
    stored = {"ConfigMap", "PersistentVolumeClaim", "Job"}
    assert kinds == {"ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler"} | stored
    return shared


def _child(tenant: Tenant, kind: str) -> Object:
    children = tenant.list(kind, f"tts-operator.io/service={NAME}")
    assert len(children) == 1, f"{len(children)} of kind {kind}"
    return children[0]


def _wanted(child: Object) -> Object:
    """The part of an object that somebody asked for."""
    metadata = {key: child["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences")}
    metadata["annotations"] = {
        key: value
        for key, value in (metadata["annotations"] or {}).items()
        if key.startswith("tts-operator.io/")  # the others are the controllers' notes
    }
    rest = {key: value for key, value in child.items() if key not in {"metadata", "status"}}
    return {"metadata": metadata, **rest}


@pytest.mark.parametrize("kind", ["serviceaccount", "configmap", "job", "deployment", "service", "hpa"])
def test_deleted_child_is_made_again(whole: Tenant, kind: str) -> None:
    before = _child(whole, kind)
    whole.delete(kind, before["metadata"]["name"])

    def made_again() -> bool:
        after = _child(whole, kind)
        assert after["metadata"]["uid"] != before["metadata"]["uid"]
        return "deletionTimestamp" not in after["metadata"]

    eventually(made_again)
    whole.until_ready(NAME)


# No Job: it cannot be changed where it counts, and a finished one is the record of what was done.
EDITS: dict[str, Object] = {
    "serviceaccount": {"automountServiceAccountToken": True},
    "configmap": {"metadata": {"labels": {"app.kubernetes.io/component": None}}},  # its data cannot be changed
    "pvc": {"metadata": {"labels": {"app.kubernetes.io/component": None}}},
    "deployment": {"spec": {"minReadySeconds": 600, "template": {"spec": {"automountServiceAccountToken": True}}}},
    "service": {"spec": {"selector": {"app.kubernetes.io/component": "other"}}},
    "hpa": {"spec": {"maxReplicas": 9}},
}


# The keys by which server-side apply merges lists: our item and the edited one together are invalid.
KEY_EDITS: dict[str, str] = {
    "service": "/spec/ports/0/port",
    "deployment": "/spec/template/spec/containers/0/ports/0/containerPort",
}


@pytest.mark.parametrize("kind", KEY_EDITS)
def test_an_edited_key_of_a_list_is_put_right(whole: Tenant, kind: str) -> None:
    before = _child(whole, kind)
    edit = [{"op": "replace", "path": KEY_EDITS[kind], "value": 9999}]
    whole("patch", kind, before["metadata"]["name"], "--type=json", "-p", json.dumps(edit))

    def put_right() -> bool:
        after = whole.get(kind, before["metadata"]["name"])
        assert _wanted(after) == _wanted(before)
        return bool(after["metadata"]["uid"] == before["metadata"]["uid"])

    eventually(put_right)
    whole.until_ready(NAME)


@pytest.mark.parametrize("kind", EDITS)
def test_edited_child_is_put_right(whole: Tenant, kind: str) -> None:
    before = _child(whole, kind)
    whole.patch(kind, before["metadata"]["name"], EDITS[kind])

    def put_right() -> bool:
        after = whole.get(kind, before["metadata"]["name"])
        assert _wanted(after) == _wanted(before)
        return bool(after["metadata"]["uid"] == before["metadata"]["uid"])

    eventually(put_right)
    whole.until_ready(NAME)


def test_the_workers_settings_cannot_be_edited(whole: Tenant) -> None:
    before = _child(whole, "configmap")
    with pytest.raises(KubectlError, match="immutable"):
        whole.patch("configmap", before["metadata"]["name"], {"data": {"worker.json": "{}"}})
    assert _wanted(_child(whole, "configmap")) == _wanted(before)


def test_orphans_are_adopted_by_the_service_of_their_name(tenant: Tenant, files: FileServer) -> None:
    tenant.serve("english", engine="hibari", model=files.model)
    tenant.until_ready("english")
    before = {child["kind"]: child["metadata"]["uid"] for child in tenant.children("english")}
    workers = {pod["metadata"]["uid"] for pod in tenant.workers("english")}
    tenant("delete", "tts", "english", "--cascade=orphan")

    tenant.serve("english", engine="hibari", model=files.model)
    owner = tenant.service("english")["metadata"]["uid"]

    def adopted() -> bool:
        children = tenant.children("english")
        owners = [child["metadata"].get("ownerReferences", [{}])[0].get("uid") for child in children]
        assert set(owners) == {owner}, owners
        return {child["kind"]: child["metadata"]["uid"] for child in children} == before

    eventually(adopted)
    tenant.until_ready("english")
    assert {pod["metadata"]["uid"] for pod in tenant.workers("english")} == workers, "the workers went on"


def test_what_others_add_is_left_alone(tenant: Tenant, worker_image: str) -> None:
    tenant.serve("english")
    tenant.until_ready("english")
    security = {"allowPrivilegeEscalation": False, "runAsUser": 65532, "capabilities": {"drop": ["ALL"]}}
    sidecar = {"name": "sidecar", "image": worker_image, "command": ["sleep", "infinity"], "securityContext": security}
    tenant("patch", "deployment", "english", "--type=strategic", "-p", json.dumps({
        "metadata": {"annotations": {"example.com/team": "speech"}, "labels": {"example.com/team": "speech"}},
        "spec": {"template": {
            "metadata": {"annotations": {"example.com/injected": "yes"}},
            "spec": {"containers": [sidecar]},
        }},
    }))  # fmt: skip
    tenant.until_ready("english")

    tenant.serve("english", resources={**SMALL, "requests": {"cpu": "30m"}})
    tenant.until_ready("english")

    deployment = tenant.get("deployment", "english")
    assert deployment["metadata"]["annotations"]["example.com/team"] == "speech"
    assert deployment["metadata"]["labels"]["example.com/team"] == "speech"
    template = deployment["spec"]["template"]
    assert template["metadata"]["annotations"]["example.com/injected"] == "yes"
    containers = {container["name"]: container for container in template["spec"]["containers"]}
    assert containers["sidecar"]["command"] == ["sleep", "infinity"]
    assert containers["worker"]["resources"]["requests"] == {"cpu": "30m"}


def test_no_longer_wanted_children_are_pruned(tenant: Tenant, files: FileServer) -> None:
    tenant.serve("english", engine="hibari", model=files.model, autoscaling=AUTOSCALED)
    tenant.until_ready("english")
    embedded = ["ConfigMap/english-worker-", "Deployment/english", "Service/english", "ServiceAccount/english-worker"]

    tenant.serve("english")  # the embedded voice, without autoscaling

    def pruned() -> bool:
        """The only ConfigMap left is the one that the workers mount; a hash ends its name."""
        found = tenant.child_names("english")
        assert [re.sub("(?<=ConfigMap/english-worker-)[0-9a-f]{10}$", "", name) for name in found] == embedded
        volumes = tenant.get("deployment", "english")["spec"]["template"]["spec"]["volumes"]
        [mounted] = [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
        return f"ConfigMap/{mounted}" in found

    eventually(pruned)
    tenant.until_ready("english")


@contextmanager
def _every_count(tenant: Tenant, deployment: str) -> Iterator[Callable[[], list[int]]]:
    """Every value that a Deployment's replicas take during a block."""
    command = tenant.command("get", "deployment", deployment, "--watch", "-o", 'jsonpath={.spec.replicas}{"\\n"}')
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout
        seen = [int(watch.stdout.readline())]

        def counts() -> list[int]:
            watch.terminate()
            assert watch.stdout
            return seen + [int(line) for line in watch.stdout]

        try:
            yield counts
        finally:
            watch.kill()


def test_autoscaling_comes_and_goes_without_a_dip(tenant: Tenant) -> None:
    """The live count is handed over: 3 by the spec, kept by the autoscaler, then the spec's again."""
    tenant.serve("english", replicas=3)
    tenant.until_ready("english")
    with _every_count(tenant, "english") as counts:
        tenant.serve("english", replicas=3, autoscaling={"minReplicas": 2, "maxReplicas": 4})
        tenant.until_ready("english")
        eventually(lambda: tenant.get("hpa", "english")["status"].get("currentReplicas") == 3)
        assert "replicas" not in _owned_by_operator(tenant, "english")

        tenant.serve("english", replicas=2)
        tenant.until_ready("english")
        eventually(lambda: tenant.get("deployment", "english")["spec"]["replicas"] == 2)
        assert tenant.find("hpa", "english") is None
        holds(lambda: len(tenant.workers("english")) >= 2, seconds=3)
        seen = counts()

    assert min(seen) == 2, seen
    assert max(seen) == 3, seen


def _owned_by_operator(tenant: Tenant, name: str) -> dict[str, Any]:
    """The fields of a Deployment's spec that the operator's applies hold."""
    deployment = json.loads(tenant("get", "deployment", name, "-o", "json", "--show-managed-fields"))
    fields = (
        entry["fieldsV1"] for entry in deployment["metadata"]["managedFields"] if entry["manager"] == "tts-operator"
    )
    return {key.removeprefix("f:"): value for field in fields for key, value in field.get("f:spec", {}).items()}
