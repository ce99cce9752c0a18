"""The cluster and its commands, as a person meets them."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.devcluster import Devcluster, Namespace, archive, eventually, pod

pytestmark = [pytest.mark.devcluster, pytest.mark.timeout(1800)]  # the first `up` may have to build everything


def test_the_node_is_ready_and_every_part_runs(cluster: Devcluster) -> None:
    status = cluster.status()
    assert status["ready"]
    assert set(status["parts"]) == {
        "etcd", "containerd", "forwarder", "apiserver", "controller-manager", "scheduler", "kubelet", "proxy", "dns",
        "provisioner",
    }  # fmt: skip
    assert all(part["state"] == "running" and part["memoryBytes"] > 0 for part in status["parts"].values())
    assert all(Path(f"/proc/{part['pid']}").exists() for part in status["parts"].values())


def test_the_kubeconfig_works_outside_and_inside(cluster: Devcluster, tmp_path: Path) -> None:
    kubeconfig = cluster.run("kubeconfig").stdout.strip()
    outside = subprocess.run(
        [f"{cluster.status()['programs']}/kubectl", "get", "nodes", "-o", "name"],
        env={"KUBECONFIG": kubeconfig, "HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert outside.stdout == "node/devcluster\n"
    assert cluster.inside("kubectl", "get", "nodes", "-o", "name") == "node/devcluster\n"


def test_exec_keeps_the_folder_and_the_exit_code(cluster: Devcluster) -> None:
    assert cluster.inside("pwd").strip() == str(Path.cwd())
    assert cluster.run("exec", "--", "sh", "-c", "exit 7", check=False).returncode == 7


def test_inside_is_a_network_of_its_own(cluster: Devcluster) -> None:
    links = {link["ifname"] for link in json.loads(cluster.inside("ip", "-json", "link"))}
    assert "lo" in links
    assert not links & ({name for _, name in socket.if_nameindex()} - {"lo"})


def test_logs_print_what_a_part_wrote(cluster: Devcluster) -> None:
    assert "Successfully registered node" in cluster.run("logs", "kubelet").stdout


def test_writes_are_in_the_audit_log_with_their_user_and_reads_are_not(namespace: Namespace) -> None:
    log = Path(namespace.cluster.status()["auditLog"])
    namespace.kubectl("create", "configmap", "noted", "--as=somebody", "--as-group=system:masters")
    namespace.kubectl("get", "configmap", "noted")

    def entries() -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in log.read_text().splitlines() if namespace.name in line]
        ours = [line for line in lines if line["objectRef"].get("name") == "noted"]
        return [(line["verb"], line["impersonatedUser"]["username"]) for line in ours]

    eventually("the write is noted", lambda: bool(entries()))
    assert entries() == [("create", "somebody")]


def test_gpus_are_counted_by_the_scheduler(namespace: Namespace) -> None:
    cluster = namespace.cluster

    def gpus() -> str:
        return str(namespace.get("node/devcluster")["status"]["allocatable"].get("nvidia.com/gpu", "0"))

    found = gpus()
    one = {"limits": {"nvidia.com/gpu": "1"}}
    try:
        cluster.run("up", "--gpus", "2")
        namespace.apply(*(pod(name, resources=one) for name in ("first", "second", "third")))

        def scheduled() -> int:
            pods = namespace.get("pods")["items"]
            return sum(bool(each["spec"].get("nodeName")) for each in pods)

        eventually("two of the three are scheduled", lambda: scheduled() == 2)
        waiting = next(each for each in namespace.get("pods")["items"] if not each["spec"].get("nodeName"))
        name = waiting["metadata"]["name"]
        namespace.wait(f"pod/{name}", "jsonpath={.status.conditions[0].reason}=Unschedulable")
        assert "Insufficient nvidia.com/gpu" in namespace.get(f"pod/{name}")["status"]["conditions"][0]["message"]
        namespace.kubectl("delete", "pod", *({"first", "second", "third"} - {name}))
        namespace.wait(f"pod/{name}", "condition=Ready")
    finally:
        cluster.run("up", "--gpus", found)
    assert gpus() == found


def test_gpus_stay_when_the_kubelet_reports_the_node(namespace: Namespace, tmp_path: Path) -> None:
    def node() -> tuple[str, str]:
        status = namespace.get("node/devcluster")["status"]
        heard = max(condition["lastHeartbeatTime"] for condition in status["conditions"])
        return heard, status["allocatable"].get("nvidia.com/gpu", "0")

    heard, found = node()
    name = "localhost/devcluster-gpu-test:dev"
    try:
        namespace.cluster.run("up", "--gpus", "5")
        # A new image changes the node's status, so the kubelet does not wait five minutes with its report.
        namespace.cluster.run("load", str(archive(tmp_path, name, namespace.cluster.probe, "any")))
        eventually("the kubelet reports", lambda: node()[0] > heard)
        assert node()[1] == "5"
    finally:
        namespace.cluster.inside("ctr", "images", "remove", name)
        namespace.cluster.run("up", "--gpus", found)


def test_bad_use_is_one_clear_line(cluster: Devcluster, tmp_path: Path) -> None:
    nowhere = Devcluster({"TTS_DEVCLUSTER_STATE": str(tmp_path / "none")})
    refused = nowhere.run("kubeconfig", check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "not up" in refused.stderr
    missing = cluster.run("load", "localhost/there-is-no-such-image:dev", check=False)
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "no image localhost/there-is-no-such-image:dev" in missing.stderr
