"""What the machine must have: checked before anything is started, and said in one line when it is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.paths import SOURCES
from devcluster.terminal import Failure, say

ELSEWHERE = "or point KUBECONFIG at another cluster (docs/devcluster.md)"
_PACKAGES = {  # a file or program, and the Debian package that has it
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "openssl": "openssl",
    "unshare": "util-linux",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


def require_root() -> None:
    """Namespaces, mounts and cgroups are root's."""
    if not sys.platform.startswith("linux"):
        raise Failure(f"needs Linux; use a Linux machine {ELSEWHERE}")
    if os.geteuid() != 0:
        raise Failure(f"needs root for namespaces, mounts and cgroups; run it with sudo {ELSEWHERE}")


def require_tools() -> None:
    """Install what is missing from Debian's packages, where that is possible."""
    if missing := _missing_packages():
        if not shutil.which("apt-get"):
            raise Failure(
                f"these Debian packages, or what they hold, are missing: {' '.join(missing)}; install them {ELSEWHERE}"
            )
        say(f"installing {' '.join(missing)} with apt-get")
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *missing)
        if missing := _missing_packages():
            raise Failure(f"still missing after apt-get install: {' '.join(missing)}")
    trial = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
    )
    if trial.returncode:
        raise Failure(
            f"may not make namespaces here ({trial.stderr.strip()}); use a machine where root may {ELSEWHERE}"
        )


def require_go() -> None:
    """A Go new enough for Kubernetes, or one that may fetch such a toolchain."""
    if not shutil.which("go"):
        raise Failure(f"needs Go 1.26 or later (https://go.dev/dl) to build Kubernetes; install it {ELSEWHERE}")
    module = SOURCES / "go" / "containerd"
    version = subprocess.run(["go", "list", "-m"], cwd=module, capture_output=True, text=True, check=False)
    if version.returncode:
        raise Failure(f"this Go cannot build Kubernetes: {version.stderr.strip()}")


def give_to_caller(path: Path) -> None:
    """Let the person behind sudo have what they need themselves: root made it in their cache folder."""
    user, group = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    if user and group and path.exists():
        os.chown(path, int(user), int(group))


def _missing_packages() -> list[str]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return sorted({package for name, package in _PACKAGES.items() if not shutil.which(name, path=path)})


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-q", *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(f"`{' '.join(command)}` failed: {(result.stderr or result.stdout).strip()[-500:]}")
