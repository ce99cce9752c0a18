"""Finds a cluster's processes from outside, by their command lines instead of a pid file, which may be outdated."""

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
    """Pid of `unshare`, the parent outside."""
    first: int | None
    """Pid outside of process 1 inside."""


def supervise_arguments(state: State) -> list[str]:
    """Return the arguments that identify a supervisor of this state folder."""
    return ["supervise", "--state", str(state.root)]


def find(state: State) -> Running | None:
    """Return the processes of a state folder's cluster, if any still runs."""
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
    """Return every process of the pid namespace of `first`: pid inside to pid outside."""
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
    """Return the memory of a process in bytes, counting its share of shared pages (PSS)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def end(state: State, running: Running, seconds: float = 25.0) -> None:
    """Stop the cluster with SIGTERM, then with SIGKILL; returns when no process is left."""
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
