"""The cluster's own mounts, cgroups and network, which its first process prepares."""

import subprocess
from pathlib import Path

from devcluster.config import NODE_ADDRESS, RUN, SERVICES
from devcluster.paths import State
from devcluster.terminal import Failure


def enter_command(command: list[str]) -> list[str]:
    """Return a command that runs as the first process of new network, mount and pid namespaces, which end with it."""
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", *command]


def prepare(state: State) -> None:
    """Prepare the new namespaces for a node. The host sees none of these changes."""
    _prepare_mounts(state)
    _prepare_network()


def _prepare_mounts(state: State) -> None:
    """Mount private folders over the fixed places that Kubernetes and containerd write to."""
    _run("mount", "-t", "proc", "proc", "/proc")
    resolver = Path("/etc/resolv.conf").resolve()  # before a mount covers /run, where it may be
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
    _run("mount", "--make-rshared", "/")  # a new peer group: pods may use propagation without effect on the host


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
