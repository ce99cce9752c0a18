"""What hack/test runs its phases with: logs that are kept, phases in the background, and the report at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from common import ROOT

LOGS = ROOT / "build/test"
FLAKES = ROOT / "build/flakes"

Command = Sequence[str | Path]

END_SECONDS = 60.0
"""How long a command may take to end its own programs before it is killed."""


@dataclass
class Report:
    """What ran, for how long, and how it ended; `flakes` maps a test to the log of its failure."""

    rows: list[tuple[str, float, str]] = field(default_factory=list)
    flakes: dict[str, Path] = field(default_factory=dict)

    def add(self, name: str, seconds: float, *, passed: bool, log: Path) -> bool:
        """Note the end of a phase, and return whether it passed."""
        self.rows.append((name, seconds, "passed" if passed else f"FAILED, see {log.relative_to(ROOT)}"))
        return passed

    def leave_out(self, name: str, why: str) -> None:
        """Note a phase that could not run, which counts as a failure."""
        self.rows.append((name, 0, f"FAILED, did not run: {why}"))

    def show(self) -> int:
        """Print the list, and return the exit status."""
        announce("what ran")
        for name, seconds, end in self.rows:
            print(f"    {name:<36} {seconds:5.0f} s  {end}")
        if self.flakes:
            announce("flakes: they failed, and passed when run again; each is a defect to fix")
        for test, log in self.flakes.items():
            print(f"    {test}, see {log.relative_to(ROOT)}")
        failed = any(end != "passed" for _, _, end in self.rows)
        announce("failed" if failed else "all passed")
        return int(failed)


def announce(text: str) -> None:
    """Print what happens now, with the time."""
    print(f"==> {time.strftime('%H:%M:%S')} {text}", flush=True)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command as Ctrl-C does: pytest then ends the programs that its tests started. Kill what does not end."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def logged(commands: Sequence[Command], log: Path, env: dict[str, str] | None = None) -> int:
    """Run all commands, and show and log what they print; return the first status that is not 0."""
    first = 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        for command in commands:
            words = [str(word) for word in command]
            with subprocess.Popen(
                words, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process:
                assert process.stdout is not None
                try:
                    while chunk := os.read(process.stdout.fileno(), 65_536):
                        sys.stdout.buffer.write(chunk)
                        sys.stdout.buffer.flush()
                        file.write(chunk)
                except BaseException:
                    end(process)
                    raise
            first = first or process.returncode
    return first


def last_failed(cache: Path) -> set[str]:
    """Return the tests that failed in pytest's last run with this cache."""
    file = cache / "v/cache/lastfailed"
    return set(json.loads(file.read_text())) if file.exists() else set()


@dataclass
class Background:
    """A phase in a process group of its own, beside the others: compilers and builders end with it."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def __post_init__(self) -> None:
        self._seconds = 0.0
        self._waiter = threading.Thread(target=self._wait, args=(time.monotonic(),), daemon=True)
        self._waiter.start()

    def finish(self, report: Report) -> bool:
        """Wait for its end, show its log where it failed, and note how it ended and how long it took."""
        self._waiter.join()
        status = self.process.returncode
        lines = self.log.read_text(errors="replace").splitlines()
        print("\n".join(lines if status else lines[-1:]), flush=True)
        return report.add(self.name, self._seconds, passed=status == 0, log=self.log)

    def end(self) -> None:
        """End its process group as a user would, and kill what stays."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._waiter.is_alive():
                with suppress(ProcessLookupError):  # it ended just now
                    os.killpg(self.process.pid, number)
                self._waiter.join(END_SECONDS)

    def _wait(self, began: float) -> None:
        self.process.wait()
        self._seconds = time.monotonic() - began


@contextmanager
def background(name: str, command: Command) -> Iterator[Background]:
    """Run this program with another phase beside the rest, and end it at the end of the block."""
    log = LOGS / f"{name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "TTS_REQUIRE_CLUSTER": "1"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            env=env,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    phase = Background(name, log, process)
    try:
        yield phase
    finally:
        phase.end()


@contextmanager
def pressure(loops: int) -> Iterator[None]:
    """Keep the processors busy: a test must not depend on how fast the machine is."""
    with ExitStack() as stack:
        for _ in range(loops):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield
