"""What a new cluster is given: a default StorageClass and, when asked for, GPUs. And whether it is ready."""

import datetime as dt
from typing import Any

from devcluster.api import Api
from devcluster.config import NODE

GPU = "nvidia.com/gpu"
_NODE_PATH = f"/api/v1/nodes/{NODE}"
_LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NODE}"


def create_objects(api: Api) -> None:
    """Apply the objects every cluster starts with."""
    api.apply("/api/v1/namespaces/local-path-storage", {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "local-path-storage"},
    })  # fmt: skip
    api.apply("/apis/storage.k8s.io/v1/storageclasses/local-path", {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "local-path",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    })  # fmt: skip


def set_gpus(api: Api, count: int) -> None:
    """Advertise GPUs as an extended resource: the scheduler counts them, the kubelet keeps what it did not set."""
    amount = str(count) if count else None
    api.patch(f"{_NODE_PATH}/status", {"status": {"capacity": {GPU: amount}, "allocatable": {GPU: amount}}})


def missing(api: Api, since: dt.datetime) -> str:
    """What the cluster still waits for before a pod can run, or nothing."""
    node = api.get(_NODE_PATH)
    if node is None:
        return "the node to register"
    if not _is_ready(node):
        return "the node to be Ready"
    lease = api.get(_LEASE_PATH)
    renewed = lease and lease["spec"].get("renewTime")
    if not renewed or dt.datetime.fromisoformat(renewed) < since:
        return "the node's lease"  # without a fresh one, Ready may be what an earlier kubelet said
    for namespace in ("default", "local-path-storage"):
        if api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default") is None:
            return "service accounts"
    return ""


def _is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
