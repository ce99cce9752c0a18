"""The cluster's cgroup in every hierarchy of the machine, version 1 or 2."""

import os
import time
from pathlib import Path

from devcluster.terminal import Failure


def hierarchies() -> dict[Path, bool]:
    """Mount points of cgroup hierarchies, and whether each is version 2."""
    found: dict[Path, bool] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind in {"cgroup", "cgroup2"}:
            found[Path(place)] = kind == "cgroup2"
    return found


def create(name: str) -> None:
    """Make the kubelet's root cgroup, able to limit what its pods will be limited in."""
    places = hierarchies()
    if not places:
        raise Failure("no cgroup hierarchy is mounted under /sys/fs/cgroup; the kubelet cannot limit pods without one")
    try:
        for place, unified in places.items():
            _create(place / name, unified=unified)
    except OSError as error:
        raise Failure(
            f"cannot make a cgroup here ({error}); use a machine where root may, or another cluster"
        ) from error


def _create(group: Path, *, unified: bool) -> None:
    hierarchy = group.parent
    group.mkdir(exist_ok=True)
    if unified:
        controllers = (hierarchy / "cgroup.controllers").read_text().split()
        for parent in (hierarchy, group):
            (parent / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in controllers))
        return
    for inherited in ("cpuset.cpus", "cpuset.mems"):  # they start empty, and an empty one admits no process
        if (hierarchy / inherited).exists():
            (group / inherited).write_text((hierarchy / inherited).read_text())


def remove(name: str, seconds: float = 20.0) -> None:
    """Remove the cgroup and all its children; waits until their last processes have exited."""
    deadline = time.monotonic() + seconds
    for place in hierarchies():
        while (place / name).exists():
            for folder, _, _ in os.walk(place / name, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:  # a process in it is still dying
                    if time.monotonic() > deadline:
                        raise Failure(f"cgroup {folder} still has processes: see {folder}/cgroup.procs") from None
                    time.sleep(0.05)
                    break
