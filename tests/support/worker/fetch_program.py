"""Runs of the download program, as the Job starts it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.badserver import Answer, BadServer
from tests.support.worker.fetching import KEY

PATIENCE_SECONDS = 120.0
PROGRAM = [sys.executable, "-m", "ttsworker.fetch"]


class Job:
    """One run of the program: its exit code, its termination message and its log lines."""

    def __init__(self, server: BadServer, volume: Path, *options: str, name: str = "voice.onnx") -> None:
        self._termination = volume.parent / f"termination-{os.urandom(4).hex()}"
        self._termination.touch()
        self._log = self._termination.with_suffix(".log")
        arguments = {
            "--source": f"{server.url}/{name}",
            "--sha256": server.sha256,
            "--root": str(volume),
            "--key": KEY,
            "--metrics-port": "0",
            "--attempts": "2",
            "--backoff-seconds": "0.01",
            "--termination-log": str(self._termination),
        } | dict(zip(options[::2], options[1::2], strict=True))
        words = [word for pair in arguments.items() for word in pair]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([*PROGRAM, *words], stderr=log, stdout=log)

    def wait(self) -> tuple[int, dict[str, Any]]:
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        lines = self.log_lines()
        assert all({"timestamp", "level", "message"} <= line.keys() for line in lines)
        text = self._termination.read_text()
        return code, json.loads(text) if text else {}

    def log_lines(self) -> list[dict[str, Any]]:
        complete = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]


def paused(server: BadServer, after: int) -> tuple[threading.Event, threading.Event]:
    """Let the next answer stop after some bytes; returns the event it has begun by and the one that lets it go on."""
    begun, gate = threading.Event(), threading.Event()

    def step(answer: Answer) -> None:
        answer.pause, answer.pause_after = gate, after
        begun.set()

    server.steps.append(step)
    return begun, gate


def wait_until(condition: Callable[[], bool], job: Job | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert job is None or job.process.poll() is None, "the program has ended"
        assert time.monotonic() < deadline, "the program did not get that far"
        time.sleep(0.01)


def size_of_part(volume: Path, key: str = KEY) -> int:
    part = volume / ".partial" / key / "download"
    return part.stat().st_size if part.exists() else 0


def wait_for_part(volume: Path, count: int, key: str = KEY) -> None:
    wait_until(lambda: size_of_part(volume, key) >= count)
