"""Check what the machine must have, before anything starts; a one-line message says what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from devcluster.paths import SOURCES
from devcluster.terminal import Failure, say

ELSEWHERE = "or point KUBECONFIG at another cluster (docs/devcluster.md)"
_PACKAGES = {  # a file or program, and its Debian package
    "runc": "runc",
    "nft": "nftables",
    "ip": "iproute2",
    "openssl": "openssl",
    "unshare": "util-linux",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


def require_root() -> None:
    """Raise Failure without root, which namespaces, mounts and cgroups need."""
    if not sys.platform.startswith("linux"):
        raise Failure(f"needs Linux; use a Linux machine {ELSEWHERE}")
    if os.geteuid() != 0:
        raise Failure(f"needs root for namespaces, mounts and cgroups; run it with sudo {ELSEWHERE}")


def require_tools() -> None:
    """Install missing Debian packages, if that is possible."""
    if missing := _missing_packages():
        if not shutil.which("apt-get"):
            raise Failure(
                f"these Debian packages, or their programs, are missing: {' '.join(missing)}; install them {ELSEWHERE}"
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
            f"cannot create namespaces here ({trial.stderr.strip()}); use a machine where root may {ELSEWHERE}"
        )


def require_go() -> None:
    """Raise Failure without a Go that is new enough for Kubernetes or can fetch such a toolchain."""
    if not shutil.which("go"):
        raise Failure(f"needs Go 1.26 or later (https://go.dev/dl) to build Kubernetes; install it {ELSEWHERE}")
    module = SOURCES / "go" / "containerd"
    version = subprocess.run(["go", "list", "-m"], cwd=module, capture_output=True, text=True, check=False)
    if version.returncode:
        raise Failure(f"this Go cannot build Kubernetes: {version.stderr.strip()}")


def give_to_caller(path: Path) -> None:
    """Make the user behind sudo the owner of a file that root created in their cache folder."""
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
