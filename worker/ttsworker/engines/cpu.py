"""How many CPUs this container may use: one thread more than that makes inference several times slower."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def cpu_limit(cgroup: Path = CGROUP) -> int:
    """Return the CPUs of the container's limit, rounded up and at least 1; without a limit those it may run on."""
    available = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, min(available, math.ceil(quota))) if quota else available


def _quota(cgroup: Path) -> float | None:
    """CPUs by cgroup v2's cpu.max ("150000 100000" or "max 100000") or v1's two files; None without a limit."""
    try:
        words = (cgroup / "cpu.max").read_text().split()
    except OSError:
        try:
            words = [(cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
        except OSError:
            return None
    if words[0] == "max" or int(words[0]) <= 0:
        return None
    return int(words[0]) / int(words[1])
