"""What the stories about the development cluster share: its commands, kubectl from outside, and small pods."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "hack" / "devcluster")]
PROBE = "localhost/devcluster-pause:dev"
"""The cluster's own image; besides pausing it serves, asks, writes and burns CPU (hack/devcluster/go/pause)."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Devcluster:
    """A cluster by its command line, as a person uses it. `environment` picks which one."""

    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of its commands to the end."""
        result = subprocess.run(
            [*PROGRAM, *arguments], env=self._environment(), capture_output=True, text=True, check=False
        )
        assert not check or result.returncode == 0, f"devcluster {arguments}: {result.stdout}{result.stderr}"
        return result

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin one of its commands; the caller ends it."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*PROGRAM, *arguments], env=self._environment(), stdout=pipe, stderr=pipe, text=True)

    def status(self) -> Manifest:
        """What `status --json` says; it exits with 1 when the cluster is not ready."""
        document: Manifest = json.loads(self.run("status", "--json", check=False).stdout)
        return document

    def inside(self, *command: str) -> str:
        """What a command prints that is run inside the cluster's namespaces."""
        return self.run("exec", "--", *command).stdout

    def kubectl_command(self, *arguments: str) -> list[str]:
        """Plain kubectl, outside the namespaces."""
        return [*self._kubectl, *arguments]

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl to the end."""
        command = self.kubectl_command(*arguments)
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert not check or result.returncode == 0, f"kubectl {arguments}: {result.stdout}{result.stderr}"
        return result

    @property
    def probe(self) -> Path:
        """The program in the PROBE image."""
        return Path(self._kubectl[0]).with_name("pause")

    @cached_property
    def _kubectl(self) -> list[str]:
        status = self.status()
        return [f"{status['programs']}/kubectl", "--kubeconfig", status["kubeconfig"]]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@dataclass(frozen=True)
class Namespace:
    """A namespace of a cluster."""

    cluster: Devcluster
    name: str

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in this namespace."""
        return self.cluster.kubectl("--namespace", self.name, *arguments, stdin=stdin, check=check)

    def apply(self, *manifests: Manifest) -> None:
        """Apply manifests."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def get(self, what: str) -> Manifest:
        """One object."""
        document: Manifest = json.loads(self.kubectl("get", what, "-o", "json").stdout)
        return document

    def wait(self, what: str, condition: str) -> None:
        """Wait for what kubectl can wait for."""
        self.kubectl("wait", what, f"--for={condition}", "--timeout=90s")

    def ask(self, pod: str, *urls: str, check: bool = True) -> list[str]:
        """What each address answers to a pod, by lines; without `check` up to the first that does not."""
        return self.kubectl("exec", pod, "--", "/get", *urls, check=check).stdout.split()


def pod(name: str, *command: str, labels: dict[str, str] | None = None, **container: Any) -> Manifest:
    """A pod that a namespace of the level `restricted` accepts."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "image": PROBE,
                    "imagePullPolicy": "Never",
                    "command": list(command) or ["/pause"],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    **container,
                }
            ],
        },
    }


def service(name: str, labels: dict[str, str], port: int = 80, target: int = 8080) -> Manifest:
    """A Service before the pods with these labels."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": port, "targetPort": target}]},
    }


def archive(folder: Path, name: str, program: Path, text: str) -> Path:
    """A docker archive of an image of two layers: a program, and a text in /text."""
    layers = [_tar({"pause": program.read_bytes()}), _tar({"text": text.encode()})]
    digests = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": digests},
    }).encode()  # fmt: skip
    configured = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": configured, "RepoTags": [name], "Layers": ["0.tar", "1.tar"]}]
    path = folder / "image.tar"
    path.write_bytes(_tar({
        "0.tar": layers[0], "1.tar": layers[1], configured: config, "manifest.json": json.dumps(manifest).encode(),
    }))  # fmt: skip
    return path


def _tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def eventually(what: str, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Look again and again until something is so; fail with its name when it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.3)
