"""What pods can count on in the cluster."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.devcluster import Namespace, eventually, pod, service

pytestmark = [pytest.mark.devcluster, pytest.mark.timeout(1800)]


def test_a_service_spreads_over_its_pods_and_has_a_name(namespace: Namespace) -> None:
    echo = {"app": "echo"}
    ready = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    servers = [pod(name, "/serve", labels=echo, readinessProbe=ready) for name in ("one", "two")]
    namespace.apply(*servers, service("echo", echo), pod("client"))
    for name in ("one", "two", "client"):
        namespace.wait(f"pod/{name}", "condition=Ready")
    url = f"http://echo.{namespace.name}.svc.cluster.local/"
    # A Service refuses connections until kube-proxy has heard that its pods are ready.
    eventually("both answer", lambda: set(namespace.ask("client", *[url] * 20, check=False)) == {"one", "two"})
    assert namespace.ask("client", "http://echo/")[0] in {"one", "two"}
    # A pod reaches itself through its own Service as well.
    assert set(namespace.ask("one", *[url] * 20)) == {"one", "two"}
    # And so does whoever is inside the namespaces.
    assert namespace.cluster.inside("python3", "-c", f"""
import urllib.request
print(urllib.request.urlopen("{url}").read().decode())""").strip() in {"one", "two"}  # fmt: skip


def test_a_claim_is_made_when_a_pod_uses_it_and_is_everyones_to_write(namespace: Namespace) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    namespace.apply(claim)
    eventually("it waits for a consumer", lambda: "WaitForFirstConsumer" in namespace.kubectl("events").stdout)
    assert namespace.get("pvc/data")["status"]["phase"] == "Pending"

    writer = pod("writer", volumeMounts=[{"name": "data", "mountPath": "/data"}])
    writer["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    namespace.apply(writer)
    namespace.wait("pod/writer", "condition=Ready")
    assert namespace.get("pvc/data")["status"]["phase"] == "Bound"
    namespace.kubectl("exec", "writer", "--", "/write", "/data/word", "kept")

    volume = namespace.get("pvc/data")["spec"]["volumeName"]
    folder = Path(namespace.get(f"pv/{volume}")["spec"]["hostPath"]["path"])
    assert (folder / "word").read_text() == "kept"
    namespace.kubectl("delete", "pod/writer", "pvc/data")
    eventually("the folder is removed with its claim", lambda: not folder.exists())


def test_a_file_system_mounted_inside_is_seen_by_pods(namespace: Namespace) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "small"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }

    def user(name: str) -> dict[str, Any]:
        manifest = pod(name, volumeMounts=[{"name": "data", "mountPath": "/data"}])
        manifest["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "small"}}]
        return manifest

    namespace.apply(claim, user("first"))
    namespace.wait("pod/first", "condition=Ready")
    namespace.kubectl("delete", "pod", "first")
    volume = namespace.get("pvc/small")["spec"]["volumeName"]
    folder = namespace.get(f"pv/{volume}")["spec"]["hostPath"]["path"]
    namespace.cluster.inside("mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", folder)
    try:
        namespace.apply(user("second"))
        namespace.wait("pod/second", "condition=Ready")
        big = ("exec", "-i", "second", "--", "/write", "/data/big")
        refused = namespace.kubectl(*big, stdin="x" * 200_000, check=False)
        assert "no space left on device" in refused.stderr
        namespace.kubectl("delete", "pod", "second")
    finally:
        namespace.cluster.inside("umount", "--lazy", folder)


def test_logs_exec_and_port_forward_work_from_outside(namespace: Namespace) -> None:
    namespace.apply(pod("server", "/serve"))
    namespace.wait("pod/server", "condition=Ready")
    # Without a readiness probe a pod is Ready as soon as its container runs, before the program's first line.
    eventually("the server's log", lambda: namespace.kubectl("logs", "server").stdout != "")
    assert namespace.kubectl("logs", "server").stdout == "serving on :8080\n"
    told = namespace.kubectl("exec", "-i", "server", "--", "/write", "/dev/stdout", stdin="over and over " * 10_000)
    assert told.stdout == "over and over " * 10_000
    assert namespace.kubectl("exec", "server", "--", "/get", "http://localhost:1/", check=False).returncode == 1

    forward = namespace.cluster.kubectl_command("-n", namespace.name, "port-forward", "pod/server", ":8080")
    with subprocess.Popen(forward, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split()[2].rsplit(":", 1)[1]  # Forwarding from 127.0.0.1:PORT -> 8080
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert answer.read() == b"server\n"
        process.terminate()


def test_the_level_restricted_is_enforced(namespace: Namespace) -> None:
    loose = pod("loose")
    del loose["spec"]["securityContext"]["runAsNonRoot"]
    refused = namespace.kubectl("apply", "-f", "-", stdin=json.dumps(loose), check=False)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr
    assert "runAsNonRoot" in refused.stderr


def test_a_cpu_limit_throttles(namespace: Namespace) -> None:
    namespace.apply(pod("busy", "/burn", "-for", "30s", resources={"limits": {"cpu": "100m", "memory": "64Mi"}}))
    namespace.wait("pod/busy", "condition=Ready")
    uid = namespace.get("pod/busy")["metadata"]["uid"]

    def throttled() -> bool:
        """The kernel held a container of the pod back (cpu.stat is there in both versions of cgroups)."""
        stats = [path.read_text() for path in Path("/sys/fs/cgroup").glob(f"**/pod{uid}/*/cpu.stat")]
        counts = [
            int(line.split()[1]) for text in stats for line in text.splitlines() if line.startswith("nr_throttled")
        ]
        return any(counts)

    eventually("the kernel throttles it", throttled)
    limits = [
        path.read_text().split()[0] for path in Path("/sys/fs/cgroup").glob(f"**/pod{uid}/*/memory.limit_in_bytes")
    ]
    limits += [path.read_text().split()[0] for path in Path("/sys/fs/cgroup").glob(f"**/pod{uid}/*/memory.max")]
    assert str(64 * 1024 * 1024) in limits


def test_a_failing_liveness_probe_restarts_the_container(namespace: Namespace) -> None:
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    namespace.apply(pod("sick", "/serve", "-healthy-for", "2s", livenessProbe=probe))

    def restarted() -> bool:
        statuses = namespace.get("pod/sick")["status"].get("containerStatuses", [])
        return any(status["restartCount"] for status in statuses)

    eventually("it is restarted", restarted)
    told = "Liveness probe failed: HTTP probe failed with statuscode: 500"
    eventually("the reason is told", lambda: told in namespace.kubectl("events").stdout)


def test_a_failing_readiness_probe_takes_the_pod_out_of_its_service(namespace: Namespace) -> None:
    echo = {"app": "echo"}
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    weak = pod("weak", "/serve", "-healthy-for", "8s", labels=echo, readinessProbe=probe)
    strong = pod("strong", "/serve", labels=echo, readinessProbe=probe)
    namespace.apply(weak, strong, service("echo", echo))
    namespace.wait("pod/weak", "condition=Ready")
    namespace.wait("pod/weak", "condition=Ready=False")
    eventually(
        "only the strong one answers", lambda: set(namespace.ask("strong", *["http://echo/"] * 10)) == {"strong"}
    )
    assert namespace.get("pod/weak")["status"]["phase"] == "Running"
