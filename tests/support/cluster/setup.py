"""The ground under the stories: cluster, images, chart. Each step is quick when it was done before."""

import fcntl
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.cluster.audit import AuditLog
from tests.support.cluster.installed import NAMESPACE, RELEASE
from tests.support.cluster.kubectl import ROOT, Kubectl
from tests.support.cluster.manifests import restricted_namespace

DEVCLUSTER = [sys.executable, str(ROOT / "hack/devcluster")]
CHART = ROOT / "charts/tts-operator"


@dataclass(frozen=True)
class Images:
    """Names of the images as the nodes know them."""

    operator: str = os.environ.get("TTS_OPERATOR_IMAGE", "localhost/tts-operator:dev")
    worker: str = os.environ.get("TTS_WORKER_IMAGE", "localhost/tts-worker:dev")


def is_prepared() -> bool:
    """Whether KUBECONFIG names the cluster: then it is taken as it is, with the images it has."""
    return bool(os.environ.get("KUBECONFIG"))


def kubeconfig() -> Path:
    """Of the cluster that KUBECONFIG names, else of the devcluster, brought up if need be."""
    if is_prepared():
        return Path(os.environ["KUBECONFIG"])
    if os.geteuid() != 0:
        pytest.skip("hack/devcluster needs root; or set KUBECONFIG")
    _run(*DEVCLUSTER, "up")
    return Path(_output(*DEVCLUSTER, "kubeconfig"))


def need_devcluster(purpose: str) -> None:
    """Skip on any other cluster: some troubles can only be made from inside the node."""
    told = subprocess.run([*DEVCLUSTER, "kubeconfig"], capture_output=True, text=True, check=False)
    if is_prepared() and told.stdout.strip() != os.environ["KUBECONFIG"]:
        pytest.skip(f"{purpose} inside hack/devcluster only")


@cache
def images() -> Images:
    """The images, built from this checkout and loaded into the devcluster; KUBECONFIG's cluster has them already."""
    images = Images()
    if not is_prepared():
        _run(sys.executable, ROOT / "hack/images")
        _run(*DEVCLUSTER, "load", images.operator, images.worker)
    return images


def audit_log() -> AuditLog:
    """The devcluster's audit log, or the one that TTS_AUDIT_LOG names for another cluster."""
    if "TTS_AUDIT_LOG" in os.environ:
        return AuditLog(Path(os.environ["TTS_AUDIT_LOG"]))
    need_devcluster("without TTS_AUDIT_LOG, the path of the API server's audit log, this works")
    return AuditLog(Path(json.loads(_output(*DEVCLUSTER, "status", "--json"))["auditLog"]))


def install(kubectl: Kubectl) -> None:
    """Install or upgrade the operator by its chart, and run the images of now even where the tag is an old one."""
    there = kubectl.within(NAMESPACE).find("deployment", RELEASE)
    names = images()
    repositories = {"operatorImage": names.operator, "workerImage": names.worker}
    values = [
        f"--set-string={key}.{part}={value}"
        for key, image in repositories.items()
        for part, value in zip(("repository", "tag"), image.rsplit(":", 1), strict=True)
    ]
    _run(tool("helm"), "upgrade", "--install", RELEASE, CHART, f"--kubeconfig={kubectl.kubeconfig}",
         f"--namespace={NAMESPACE}", "--create-namespace", *values)  # fmt: skip
    if there:
        kubectl.within(NAMESPACE)("rollout", "restart", f"deployment/{RELEASE}")
    kubectl.within(NAMESPACE)("rollout", "status", f"deployment/{RELEASE}", "--timeout=180s", timeout=200)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let no other process of the test run do what is in the block meanwhile."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def namespace(kubectl: Kubectl, name: str) -> Iterator[str]:
    """A fresh namespace under the restricted Pod Security Standard; deleted at the end, nobody waits for it."""
    unique = f"{name[:40]}-{uuid.uuid4().hex[:5]}"
    kubectl.apply(restricted_namespace(unique))
    try:
        yield unique
    finally:
        kubectl.delete("namespace", unique)


@cache
def tool(name: str) -> str:
    """Path of a program that hack/tools finds or fetches."""
    return _output(sys.executable, ROOT / "hack/tools", name)


def devcluster(*command: str) -> str:
    """What a command printed that ran inside the devcluster's namespaces."""
    return _output(*DEVCLUSTER, "exec", "--", *command)


def _run(*command: str | Path) -> None:
    """Run with the output shown; a failure fails the test that asked first."""
    subprocess.run(command, check=True, cwd=ROOT)


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
