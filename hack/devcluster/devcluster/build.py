"""Builds the cluster's programs from Go modules, once per content of their sources."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster import host
from devcluster.paths import SOURCES, cache_folder
from devcluster.terminal import Failure, Progress, say

KUBERNETES = "1.36.3"
CONTAINERD = "2.4.2"
_VERSION = "k8s.io/component-base/version"
_CONTAINERD = "github.com/containerd/containerd/v2"


@dataclass(frozen=True)
class Target:
    """One `go build`: packages of one module, into the folder of programs."""

    module: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    ldflags: str = ""
    tags: str = ""

    def flags(self) -> list[str]:
        """Return the flags that make the result small and reproducible."""
        return ["-trimpath", "-mod=readonly", "-buildvcs=false", f"-tags={self.tags}", f"-ldflags=-s -w {self.ldflags}"]


TARGETS = (
    Target("pause", (".",), ("pause",)),
    Target(
        "kubernetes",
        (".",),
        ("kubernetes",),
        ldflags=" ".join(
            f"-X {_VERSION}.{key}={value}"
            for key, value in [("gitVersion", "v" + KUBERNETES), ("gitMajor", "1"), ("gitMinor", "36")]
        ),
    ),
    Target("kubernetes", ("github.com/rancher/local-path-provisioner",), ("local-path-provisioner",)),
    Target(
        "containerd",
        tuple(f"{_CONTAINERD}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")),
        ("containerd", "containerd-shim-runc-v2", "ctr"),
        ldflags=f"-X {_CONTAINERD}/version.Version=v{CONTAINERD}",
        tags="no_btrfs,no_devmapper,no_zfs",
    ),
)


def go_environment() -> dict[str, str]:
    """Return the environment without cgo, so that no C compiler is needed and the pause program is static."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""}


def source_key() -> str:
    """Return the hash of the programs' inputs: sources, pinned versions, flags and the kind of machine."""
    digest = hashlib.sha256()
    for file in sorted((SOURCES / "go").rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(SOURCES)}\0".encode() + file.read_bytes() + b"\0")
    digest.update(repr((TARGETS, platform.machine())).encode())
    return digest.hexdigest()[:16]


def programs_folder() -> Path:
    """Return the folder with all programs; build it first unless it is complete."""
    cache = cache_folder() / "programs"
    published = cache / source_key()
    if is_whole(published):
        return published
    host.require_go()
    cache.mkdir(parents=True, exist_ok=True)
    with _lock(cache / "lock"):
        if not is_whole(published):  # another `up` may have built it while this one waited
            _build(published)
    return published


def is_whole(folder: Path) -> bool:
    """Return whether every program in the manifest, which is written last, exists with its full size."""
    try:
        sizes = json.loads((folder / "manifest.json").read_text())
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _build(published: Path) -> None:
    """Build in a temporary folder and rename it, so that an interrupted build never counts."""
    for leftover in published.parent.glob(".building-*"):
        shutil.rmtree(leftover)
    shutil.rmtree(published, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=".building-", dir=published.parent))
    say(f"building Kubernetes {KUBERNETES} and containerd {CONTAINERD}, once (up to 10 minutes on two cores)")
    for number, target in enumerate(TARGETS, 1):
        _build_target(target, staging, f"[{number}/{len(TARGETS)}] building {', '.join(target.programs)}")
    (staging / "kubectl").symlink_to("kubernetes")  # the binary goes by the name it is called
    sizes = {name: (staging / name).stat().st_size for target in TARGETS for name in target.programs}
    (staging / "manifest.json").write_text(json.dumps(sizes, indent=1))
    staging.chmod(0o755)
    staging.rename(published)


def _build_target(target: Target, folder: Path, title: str) -> None:
    module = SOURCES / "go" / target.module
    progress = Progress(title)
    stale = _stale_packages(target, module, progress)
    output = folder if len(target.packages) > 1 else folder / target.programs[0]
    errors: list[str] = []
    compiled = 0
    for line in _lines(["go", "build", "-v", *target.flags(), "-o", str(output), *target.packages], module, errors):
        if not line.startswith(("go: ", "#")) and " " not in line:
            compiled += 1
        else:
            errors.append(line)
        progress.update(f"{min(compiled, stale)} of {stale} packages" if compiled < stale else "linking")
    progress.done(f"{stale} packages compiled")


def _stale_packages(target: Target, module: Path, progress: Progress) -> int:
    """Return how many packages must be compiled; fetches the modules first."""
    errors: list[str] = []
    stale = downloads = 0
    listing = ["go", "list", "-deps", "-f", "{{if .Stale}}stale{{end}}", *target.flags(), *target.packages]
    for line in _lines(listing, module, errors):
        if line.startswith("go: downloading"):
            downloads += 1
            progress.update(f"{downloads} modules downloaded")
        elif line == "stale":
            stale += 1
        else:
            errors.append(line)
    return stale


def _lines(command: list[str], folder: Path, errors: list[str]) -> Iterator[str]:
    """The lines a command prints, as they come; its failure ends with what it complained of."""
    with subprocess.Popen(
        command, cwd=folder, env=go_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None  # asked for above
        for line in process.stdout:
            if line.strip():
                yield line.strip()
    if process.returncode:
        complaint = "\n  ".join(errors[-15:]) or "no message"
        raise Failure(f"{' '.join(command[:2])} failed in {folder} (is the Go module proxy reachable?):\n  {complaint}")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
