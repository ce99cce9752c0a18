"""Starts and stops a cluster, from outside."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devcluster import bootstrap, build, cgroups, config, host, namespaces, processes
from devcluster.api import Api
from devcluster.paths import SOURCES, State, cache_folder
from devcluster.terminal import Failure, Progress, say

_START_SECONDS = 300.0


def up(state: State, gpus: int | None) -> None:
    """Start the cluster; first clean up an earlier one if needed."""
    host.require_root()
    host.require_tools()
    programs = build.programs_folder()
    with _lock(state):
        running, report = processes.find(state), read_report(state)
        if running and running.first and report.get("phase") == "ready" and not report.get("ended"):
            renew = "" if report.get("programs") == str(programs) else ", of other sources: renew it by `down` and `up`"
            say(f"already up{renew}")
            if gpus is not None:
                bootstrap.set_gpus(Api(report["port"], state.pki), gpus)
            return
        if running:
            ended = ", ".join(report.get("ended", {}))
            say(f"{ended} had ended: starting again" if ended else "clearing away a cluster that never became ready")
        _clear(state, running)
        _start(state, programs, gpus or 0)


def down(state: State, *, purge: bool) -> None:
    """Stop the cluster and keep only its logs and the image store, with `purge` nothing."""
    host.require_root()
    with _lock(state):
        running = processes.find(state)
        _clear(state, running)
        if purge:
            shutil.rmtree(state.root, ignore_errors=True)
    if purge:
        state.lock.unlink(missing_ok=True)
    say("down" if running else "was not up")


def read_report(state: State) -> dict[str, Any]:
    """Return the supervisor's last report; empty without one."""
    try:
        report: dict[str, Any] = json.loads(state.report.read_text())
    except (OSError, ValueError):
        return {}
    return report


def require_running(state: State) -> int:
    """Return the pid of process 1 of the running cluster; raises Failure if none runs."""
    host.require_root()
    running = processes.find(state)
    if running is None or running.first is None:
        raise Failure("the cluster is not up; start it with `python3 hack/devcluster up`")
    return running.first


def inside_command(state: State, command: list[str]) -> list[str]:
    """Return a command that runs inside the cluster's network, mount and process namespaces, in the same folder."""
    first = require_running(state)
    programs = read_report(state).get("programs", "")
    path = f"{programs}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    variables = {
        "KUBECONFIG": state.kubeconfig,
        "PATH": path,
        "CONTAINERD_ADDRESS": config.CONTAINERD_SOCKET,
        "CONTAINERD_NAMESPACE": "k8s.io",  # Kubernetes' namespace, so that `exec -- ctr images list` shows its images
    }
    inner = ["env", "--chdir", str(Path.cwd()), *(f"{key}={value}" for key, value in variables.items()), *command]
    return ["nsenter", "--target", str(first), "--net", "--mount", "--pid", *inner]


def _clear(state: State, running: processes.Running | None) -> None:
    if running:
        processes.end(state, running)
    cgroups.remove(state.cgroup)
    state.report.unlink(missing_ok=True)


def _start(state: State, programs: Path, gpus: int) -> None:
    progress = Progress("starting the cluster")
    for folder in (state.config, state.logs, state.etcd, state.kubelet, state.cni, state.host_logs, state.volumes):
        shutil.rmtree(folder, ignore_errors=True)
    for leftover in state.root.glob("load-*"):  # from a killed `load`
        shutil.rmtree(leftover)
    state.audit_log.unlink(missing_ok=True)
    for folder in (state.logs, state.volumes):
        folder.mkdir(parents=True)
    state.root.chmod(0o755)
    with _listener(state) as listener:
        port = listener.getsockname()[1]
        state.port_file.write_text(str(port))
        config.write_all(state, port)
        host.give_to_caller(state.kubeconfig)
        cgroups.create(state.cgroup)
        command = [sys.executable, str(SOURCES), *processes.supervise_arguments(state), "--programs", str(programs),
                   "--port", str(port), "--listener", str(listener.fileno()), "--gpus", str(gpus)]  # fmt: skip
        with state.log("supervisor").open("wb") as log:
            supervisor = subprocess.Popen(
                namespaces.enter_command(command),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(listener.fileno(),), start_new_session=True,
            )  # fmt: skip
    try:
        _follow(state, supervisor, progress)
    except BaseException:  # also when interrupted: a half-started cluster is useless
        _clear(state, processes.find(state))
        raise


def _follow(state: State, supervisor: subprocess.Popen[bytes], progress: Progress) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        report = read_report(state)
        if report.get("phase") == "ready":
            progress.done("ready")
            return
        if report.get("phase") == "failed":
            raise Failure(f"the cluster did not start: {report['message']}")
        if supervisor.poll() is not None:
            log = state.log("supervisor").read_text(errors="replace").strip()
            raise Failure(f"the cluster did not start:\n{log}")
        progress.update(str(report.get("phase", "starting")))
        time.sleep(0.1)
    raise Failure(f"the cluster was not ready after {_START_SECONDS:.0f} s; see {state.logs}")


def _listener(state: State) -> socket.socket:
    """Return a listening socket for the API server, on the last start's port if it is still free."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(state.port_file.read_text())))
    except (OSError, ValueError):
        listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@contextmanager
def _lock(state: State) -> Iterator[None]:
    state.root.mkdir(parents=True, exist_ok=True)
    host.give_to_caller(cache_folder())
    with state.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another `up` or `down` of this cluster to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
