"""Create the objects of a new cluster, a default StorageClass and on request GPUs, and check whether it is ready."""

import datetime as dt
from typing import Any

from devcluster.api import Api
from devcluster.config import NODE

GPU = "nvidia.com/gpu"
_NODE_PATH = f"/api/v1/nodes/{NODE}"


def create_objects(api: Api) -> None:
    """Apply the objects of every new cluster."""
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
    """Advertise GPUs as an extended resource: the scheduler counts them, and the kubelet keeps foreign resources."""
    amount = str(count) if count else None
    api.patch(f"{_NODE_PATH}/status", {"status": {"capacity": {GPU: amount}, "allocatable": {GPU: amount}}})


def missing(api: Api, since: dt.datetime) -> str:
    """Return what the cluster lacks before a pod can run, or an empty text."""
    try:
        return _missing(api, since)
    except OSError:  # the machine may be too busy to answer
        return "an answer of the API server"


def _missing(api: Api, since: dt.datetime) -> str:
    node = api.get(_NODE_PATH)
    if node is None:
        return "the node to register"
    if not node_is_ready(node, since):
        return "the node to be Ready"
    for namespace in ("default", "local-path-storage"):
        if api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default") is None:
            return "service accounts"
    return ""


def node_is_ready(node: dict[str, Any], since: dt.datetime | None = None) -> bool:
    """Return whether the kubelet reported Ready after `since`; an earlier kubelet's report may be outdated."""
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            heard = dt.datetime.fromisoformat(condition["lastHeartbeatTime"])
            return condition["status"] == "True" and (since is None or heard >= since.replace(microsecond=0))
    return False
