"""Finds a cluster's processes from outside, by what they are and not by a note that may be old."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from devcluster.paths import State


@dataclass(frozen=True)
class Running:
    """The processes that hold a cluster's namespaces."""

    outer: int | None
    """`unshare`, the parent outside."""
    first: int | None
    """Process 1 inside, by its number outside."""


def supervise_arguments(state: State) -> list[str]:
    """The words by which a supervisor of this state folder is known."""
    return ["supervise", "--state", str(state.root)]


def find(state: State) -> Running | None:
    """The cluster of a state folder, if any of it lives."""
    mark = "\0".join(supervise_arguments(state)) + "\0"
    outer = first = None
    for pid in _pids():
        try:
            if mark not in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                continue
            numbers = _namespace_numbers(pid)
        except OSError:  # it ended meanwhile
            continue
        if len(numbers) == 1:
            outer = pid
        elif numbers[-1] == 1:
            first = pid
    return Running(outer, first) if outer or first else None


def inside(first: int) -> dict[int, int]:
    """Every process of the namespace of `first`: number inside to number outside."""
    namespace = Path(f"/proc/{first}/ns/pid").readlink()
    found: dict[int, int] = {}
    for pid in _pids():
        try:
            if Path(f"/proc/{pid}/ns/pid").readlink() == namespace:
                found[_namespace_numbers(pid)[-1]] = pid
        except OSError:
            continue
    return found


def memory(pid: int) -> int:
    """Bytes of memory a process has for itself, shared pages counted by its share (PSS)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def end(state: State, running: Running, seconds: float = 25.0) -> None:
    """Ask the cluster to end, then make it; returns when nothing of it lives."""
    if running.first:
        _signal(running.first, signal.SIGTERM)
        if _gone(state, seconds):
            return
    for pid in (running.first, running.outer):
        if pid:
            _signal(pid, signal.SIGKILL)
    _gone(state, seconds)


def _gone(state: State, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if find(state) is None:
            return True
        time.sleep(0.1)
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _namespace_numbers(pid: int) -> list[int]:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return [int(number) for number in line.split()[1:]]
