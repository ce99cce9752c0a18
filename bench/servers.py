"""Starts the compared servers, each in its own process on loopback, and ends them by their pid."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.asking import Asked, ask_once

START_SECONDS = 240.0
"""Seconds after which the start of a server without audio fails."""

STOP_SECONDS = 10.0

# The benchmarks measure synthesis. Rate limits would refuse clients that share one address, and a cache would replace
# synthesis. Sections that need them set them again.
OUR_SETTINGS = {
    "HOST": "127.0.0.1",
    "METRICS_PORT": "0",
    "RATE_LIMIT_PER_SECOND": "0",
    "MAX_REQUESTS_PER_CLIENT": "0",
    "CACHE_TTL_SECONDS": "0",
    "MAX_QUEUE_LENGTH": "1000",
    "MAX_QUEUE_AUDIO_SECONDS": "86400",
    "HEALTH_INTERVAL_SECONDS": "3600",
}

Start = Callable[[], AbstractContextManager["Server"]]


@dataclass(frozen=True)
class Server:
    """A running server and its kind of request."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    started: float
    """Time just before the process started, by time.perf_counter."""
    ask: Asked
    log: Path

    @property
    def pid(self) -> int:
        """Return the pid of the first process of its tree."""
        return self.process.pid

    def first_audio(self, text: str) -> float:
        """Return the seconds from the start of the process to the first audio; retries until audio arrives."""
        with httpx.Client(base_url=self.url, timeout=START_SECONDS) as client:
            while time.perf_counter() - self.started < START_SECONDS:
                if self.process.poll() is not None:
                    break
                first = ask_once(client, self.ask(text))
                if first is not None:
                    return first - self.started
                time.sleep(0.05)
        last = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        message = f"{self.name} did not speak; the end of its log:\n" + "\n".join(last)
        raise RuntimeError(message)


@contextmanager
def our_worker(folder: Path, threads: int, **settings: object) -> Iterator[Server]:
    """Run our worker on a free port; `settings` by their lower-case names. Its log is in the folder."""
    named = {name.upper(): str(value) for name, value in settings.items()}
    port = free_port()
    wanted = OUR_SETTINGS | {"PORT": str(port), "THREADS": str(threads)} | named
    environment = {f"TTSWORKER_{name}": value for name, value in wanted.items()}
    command = [sys.executable, "-m", "ttsworker", "serve"]
    environment["OMP_NUM_THREADS"] = str(threads)
    with _running("our worker", command, environment, port, folder) as (process, started, log):
        yield Server("our worker", process, url_of(port), started, Asked.by_openai(), log)


@contextmanager
def coqui_server(folder: Path, threads: int, checkpoint: Path) -> Iterator[Server]:
    """Run Coqui's own tts-server with this checkpoint. Its log is in the folder."""
    if not importlib.util.find_spec("flask"):
        raise RuntimeError("Coqui's tts-server needs flask, which is not installed: install it into the environment")
    port = free_port()
    files = ["--model_path", str(checkpoint / "model_file.pth"), "--config_path", str(checkpoint / "config.json")]
    command = [sys.executable, "-m", "TTS.server.server", *files, "--port", str(port)]
    environment = {"OMP_NUM_THREADS": str(threads)}
    with _running("tts-server", command, environment, port, folder) as (process, started, log):
        yield Server("tts-server", process, url_of(port), started, Asked.by_coqui(), log)


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def url_of(port: int) -> str:
    """The address of a server on loopback."""
    return f"http://127.0.0.1:{port}"


@contextmanager
def _running(
    name: str, command: list[str], environment: dict[str, str], port: int, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], float, Path]]:
    others = {key: value for key, value in os.environ.items() if not key.startswith("TTSWORKER_")}
    log = folder / f"{name.replace(' ', '-')}-{port}.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=others | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process, started, log
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
