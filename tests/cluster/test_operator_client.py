"""The operator's client and its leader election against a real API server: the rules its passes rely on."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from kubernetes.aio import client, config

from tests.support.cluster import setup
from tests.support.cluster.kubectl import Kubectl
from ttsoperator.children.registry import plurals
from ttsoperator.kube.client import Cluster
from ttsoperator.kube.errors import AlreadyExists, Conflict, NotFound, Refused
from ttsoperator.kube.leader import LeaderElection
from ttsoperator.kube.manifest import Ref, identified, ref
from ttsoperator.names import HANDOVER_MANAGER, MANAGER
from ttsoperator.servers.front_proxy import read_front_proxy

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def scratch(kubectl: Kubectl) -> Iterator[Kubectl]:
    with setup.namespace(kubectl, "client") as name:
        yield kubectl.within(name)


@pytest.fixture
async def cluster(kubectl: Kubectl) -> AsyncIterator[Cluster]:
    configuration = client.Configuration()
    await config.load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    async with Cluster(configuration, plurals()) as cluster:
        yield cluster


def config_map(scratch: Kubectl, name: str, **data: str) -> Manifest:
    meta = {"name": name, "namespace": scratch.namespace, "labels": {"app": "tts"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def deployment(scratch: Kubectl, name: str, replicas: int | None) -> Manifest:
    labels = {"app": name}
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "worker", "image": "nowhere.invalid/image:1", "securityContext": security}],
        "nodeSelector": {"nowhere": "true"},
    }
    spec: Manifest = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    if replicas is not None:
        spec["replicas"] = replicas
    meta = {"name": name, "namespace": scratch.namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def managers(obj: Manifest) -> set[tuple[str, str]]:
    return {(f["manager"], f["operation"]) for f in obj["metadata"]["managedFields"] if not f.get("subresource")}


async def test_a_create_never_changes_an_existing_object(cluster: Cluster, scratch: Kubectl) -> None:
    scratch("create", "configmap", "theirs", "--from-literal=a=1")
    with pytest.raises(AlreadyExists):
        await cluster.create(config_map(scratch, "theirs", a="2"))
    assert scratch.get("configmap", "theirs")["data"] == {"a": "1"}


async def test_an_apply_removes_earlier_fields_and_keeps_fields_of_others(cluster: Cluster, scratch: Kubectl) -> None:
    wanted = config_map(scratch, "mine", kept="1", dropped="1")
    await cluster.create(wanted)
    scratch.patch("configmap", "mine", {"data": {"added": "x"}, "metadata": {"annotations": {"their": "note"}}})
    scratch.patch("configmap", "mine", {"data": {"kept": "broken"}})
    for data in ({"kept": "1"}, {"kept": "1", "new": "1"}, {"new": "1"}):
        wanted["data"] = data
        wanted["metadata"]["labels"] = {"app": "tts"}
        answer = await cluster.apply(copy.deepcopy(wanted))
        assert answer["data"] == {**data, "added": "x"}
        assert answer["metadata"]["annotations"] == {"their": "note"}
        assert (MANAGER, "Apply") in managers(answer)
        assert (MANAGER, "Update") not in managers(answer)


async def test_an_injected_sidecar_survives_our_change_of_the_template(cluster: Cluster, scratch: Kubectl) -> None:
    wanted = deployment(scratch, "injected", 1)
    await cluster.create(wanted)
    sidecar = {"name": "mesh", "image": "nowhere.invalid/mesh:1"}
    patch = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    scratch("patch", "deployment", "injected", "--type=strategic", "-p", json.dumps(patch))
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "nowhere.invalid/image:2"
    answer = await cluster.apply(wanted)
    images = {c["name"]: c["image"] for c in answer["spec"]["template"]["spec"]["containers"]}
    assert images == {"mesh": "nowhere.invalid/mesh:1", "worker": "nowhere.invalid/image:2"}


async def test_an_apply_of_the_same_writes_nothing(cluster: Cluster, scratch: Kubectl) -> None:
    wanted = config_map(scratch, "same", a="1")
    await cluster.create(wanted)
    first = await cluster.apply(wanted)
    second = await cluster.apply(wanted)
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


async def test_an_apply_never_creates(cluster: Cluster, scratch: Kubectl) -> None:
    with pytest.raises(NotFound):
        await cluster.apply(config_map(scratch, "absent", a="1"))
    assert scratch.find("configmap", "absent") is None


async def test_an_apply_meant_for_a_former_object_leaves_its_successor(cluster: Cluster, scratch: Kubectl) -> None:
    former = await cluster.create(config_map(scratch, "succeeded", a="1"))
    await cluster.delete(ref(former))
    await cluster.create(config_map(scratch, "succeeded", a="2"))
    with pytest.raises(NotFound):
        await cluster.apply(identified(config_map(scratch, "succeeded", a="3"), former))
    assert scratch.get("configmap", "succeeded")["data"] == {"a": "2"}


async def test_a_hand_over_meant_for_a_former_object_leaves_its_successor(cluster: Cluster, scratch: Kubectl) -> None:
    former = await cluster.create(deployment(scratch, "succeeded", 1))
    await cluster.delete(ref(former))
    with pytest.raises((Conflict, NotFound)):
        await cluster.hand_over_replicas(ref(former), 3)
    await cluster.create(deployment(scratch, "succeeded", 2))
    with pytest.raises((Conflict, NotFound)):
        await cluster.hand_over_replicas(ref(former), 3)
    with pytest.raises(NotFound):
        await cluster.patch(ref(former), {"metadata": {"uid": former["metadata"]["uid"], "labels": {"a": "b"}}})
    assert scratch.get("deployment", "succeeded")["spec"]["replicas"] == 2


async def test_replicas_stay_when_they_leave_our_apply_after_a_hand_over(cluster: Cluster, scratch: Kubectl) -> None:
    created = await cluster.create(deployment(scratch, "scaled", 3))
    await cluster.hand_over_replicas(ref(created), 3)
    answer = await cluster.apply(deployment(scratch, "scaled", None))
    assert answer["spec"]["replicas"] == 3
    assert (HANDOVER_MANAGER, "Apply") in managers(answer)
    scratch("scale", "deployment", "scaled", "--replicas=2")
    assert (await cluster.apply(deployment(scratch, "scaled", None)))["spec"]["replicas"] == 2, "the autoscaler's count"
    assert (await cluster.apply(deployment(scratch, "scaled", 1)))["spec"]["replicas"] == 1, "and back in our hands"


async def test_a_delete_meant_for_a_former_object_leaves_its_successor(cluster: Cluster, scratch: Kubectl) -> None:
    former = await cluster.create(config_map(scratch, "twice", a="1"))
    assert await cluster.delete(ref(former)) is None
    assert await cluster.delete(ref(former)) is None, "gone already is fine"
    await cluster.create(config_map(scratch, "twice", a="2"))
    assert await cluster.delete(ref(former)) is None
    assert scratch.get("configmap", "twice")["data"] == {"a": "2"}


async def test_a_delete_returns_an_object_that_waits_for_a_finalizer(cluster: Cluster, scratch: Kubectl) -> None:
    wanted = config_map(scratch, "held", a="1")
    wanted["metadata"]["finalizers"] = ["example.com/hold"]
    remains = await cluster.delete(ref(await cluster.create(wanted)))
    assert remains is not None
    assert remains["metadata"]["deletionTimestamp"]
    scratch.patch("configmap", "held", {"metadata": {"finalizers": None}})


async def test_a_patch_made_for_an_older_version_is_refused(cluster: Cluster, scratch: Kubectl) -> None:
    created = await cluster.create(config_map(scratch, "versioned", a="1"))
    stale = {"resourceVersion": created["metadata"]["resourceVersion"]}
    answer = await cluster.patch(ref(created), {"metadata": stale, "data": {"a": "2", "b": "3"}})
    assert answer["data"] == {"a": "2", "b": "3"}
    with pytest.raises(Conflict):
        await cluster.patch(ref(created), {"metadata": stale, "data": {"a": "4"}})
    assert (await cluster.patch(ref(created), {"data": {"b": None}}))["data"] == {"a": "2"}


async def test_refusals_carry_the_apis_message(cluster: Cluster, scratch: Kubectl) -> None:
    bad = config_map(scratch, "Not_A_Name")
    with pytest.raises(Refused, match="RFC 1123") as caught:
        await cluster.create(bad)
    assert caught.value.status == 422
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"services": "0"}},
    }
    scratch.apply(quota)
    scratch("wait", "--for=jsonpath={.status.hard.services}=0", "resourcequota/none")
    meta = {"name": "too-much", "namespace": scratch.namespace}
    with pytest.raises(Refused, match="exceeded quota: none") as caught:
        await cluster.create(
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}]}}
        )
    assert caught.value.status == 403


async def test_an_api_that_is_not_installed_is_a_clear_refusal(cluster: Cluster, scratch: Kubectl) -> None:
    with pytest.raises(Refused, match="does not serve this API"):
        await cluster.list_objects("nobody.example.com/v1", "Job", scratch.namespace)
    with pytest.raises(NotFound):
        await cluster.get(Ref("batch/v1", "Job", scratch.namespace, "nothing"))


async def test_the_kinds_of_an_api_are_those_that_the_server_serves(cluster: Cluster) -> None:
    assert {"Deployment", "ReplicaSet"} <= set(await cluster.served_kinds("apps/v1"))
    assert "Scale" not in await cluster.served_kinds("apps/v1"), "a subresource is no kind of the API"
    assert "Pod" in await cluster.served_kinds("v1")
    assert not await cluster.served_kinds("nobody.example.com/v1")
    assert not await cluster.served_kinds("apps/v999")


async def test_lists_are_filtered_by_the_server_and_carry_kind_and_version(cluster: Cluster, scratch: Kubectl) -> None:
    await cluster.create(config_map(scratch, "listed"))
    found, version = await cluster.list_objects("v1", "ConfigMap", scratch.namespace, labelSelector="app=tts")
    listed = next(obj for obj in found if obj["metadata"]["name"] == "listed")
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "ConfigMap")
    assert all(obj["metadata"]["labels"]["app"] == "tts" for obj in found)
    assert version >= int(listed["metadata"]["resourceVersion"])


async def test_the_front_proxys_ca_and_names_are_published(cluster: Cluster) -> None:
    front_proxy = await read_front_proxy(cluster)
    assert "BEGIN CERTIFICATE" in front_proxy.ca
    assert front_proxy.names


async def test_a_real_lease_has_one_holder_and_changes_hands_when_released(cluster: Cluster, scratch: Kubectl) -> None:
    leading: list[str] = []
    tasks = {}
    changed = asyncio.Event()

    def candidate(name: str) -> None:
        election = LeaderElection(cluster, scratch.namespace, "leader", name)

        async def lead() -> None:
            leading.append(name)
            changed.set()
            await asyncio.Event().wait()

        tasks[name] = asyncio.ensure_future(election.run(lead))

    for name in ("a", "b"):
        candidate(name)
    await changed.wait()
    (first,) = leading
    changed.clear()
    tasks[first].cancel()
    await asyncio.wait([tasks[first]])
    await changed.wait()
    assert sorted(leading) == ["a", "b"]
    lease = scratch.get("lease", "leader")["spec"]
    assert lease["holderIdentity"].startswith(f"{leading[1]}_")
    assert lease["leaseTransitions"] == 1
    tasks[leading[1]].cancel()
    await asyncio.wait([tasks[leading[1]]])
    assert scratch.get("lease", "leader")["spec"].get("holderIdentity", "") == ""
