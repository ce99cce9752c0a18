"""The view from inside: mounts, cgroups and network of the cluster's own, made by its first process."""

import subprocess
from pathlib import Path

from devcluster.config import NODE_ADDRESS, RUN, SERVICES
from devcluster.paths import State
from devcluster.terminal import Failure


def enter_command(command: list[str]) -> list[str]:
    """Run a command as the first process of new network, mount and pid namespaces that end with it."""
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", *command]


def prepare(state: State) -> None:
    """Make the new namespaces a place a node can live in. Nothing here is seen from outside."""
    _prepare_mounts(state)
    _prepare_network()


def _prepare_mounts(state: State) -> None:
    """Mount private folders over the fixed places that Kubernetes and containerd write to."""
    _run("mount", "-t", "proc", "proc", "/proc")
    resolver = Path("/etc/resolv.conf").resolve()  # before /run, where it may lie, is covered
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    RUN.mkdir()
    resolver.parent.mkdir(parents=True, exist_ok=True)
    resolver.touch()
    _run("mount", "--bind", str(state.config / "resolv.conf"), str(resolver))
    covered = {"/var/lib/kubelet": state.kubelet, "/var/lib/cni": state.cni, "/var/log": state.host_logs}
    for place, folder in covered.items():
        folder.mkdir(parents=True, exist_ok=True)
        Path(place).mkdir(parents=True, exist_ok=True)
        _run("mount", "--bind", str(folder), place)
    _run("mount", "--make-rshared", "/")  # a new peer group: pods may ask for propagation, the host sees none


def _prepare_network() -> None:
    """Give loopback the node's address and a route to Services, whose packets kube-proxy redirects."""
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "address", "add", f"{NODE_ADDRESS}/32", "dev", "lo")
    _run("ip", "route", "add", SERVICES, "dev", "lo", "src", NODE_ADDRESS)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
