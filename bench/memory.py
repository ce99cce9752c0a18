"""Memory and CPU time of a process and all its children, read from /proc."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

SAMPLE_SECONDS = 0.25
"""Seconds between two samples of the memory: one of a process with torch takes a few milliseconds of its CPU."""


@dataclass(frozen=True)
class Memory:
    """Bytes. PSS divides a page's size among the processes that share it, RSS counts it for each of them."""

    pss: int
    rss: int


@dataclass
class Peak:
    """The largest samples so far."""

    pss: int = 0
    rss: int = 0
    samples: list[Memory] = field(default_factory=list)

    def see(self, memory: Memory) -> None:
        """Take one more sample into account."""
        self.samples.append(memory)
        self.pss, self.rss = max(self.pss, memory.pss), max(self.rss, memory.rss)


def tree(pid: int) -> list[int]:
    """The process and its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = _stat(int(folder.name))
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for process in found:  # grows while it is walked
        found += children.get(process, [])
    return found


def memory(pid: int) -> Memory:
    """Return the current memory of the tree."""
    pss, rss = 0, 0
    for process in tree(pid):
        with suppress(OSError):  # it has ended meanwhile
            one = own_memory(process)
            pss, rss = pss + one.pss, rss + one.rss
    return Memory(pss, rss)


def own_memory(pid: int) -> Memory:
    """Return the current memory of the process without its children; raises OSError if it has ended."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    pss = int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) * 1024  # type: ignore[index] # always there
    return Memory(pss, int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE)


def cpu_seconds(pid: int) -> float:
    """Return the user and system time that the tree has used."""
    total = 0
    for process in tree(pid):
        with suppress(OSError):  # it has ended meanwhile
            fields = _stat(process)
            total += int(fields[11]) + int(fields[12])
    return total / _TICKS


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Sample the memory periodically while the block runs."""
    peak = Peak()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak.see(memory(pid))

    thread = threading.Thread(target=watch)
    peak.see(memory(pid))
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.see(memory(pid))


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; the second, a name in brackets, may contain spaces."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
