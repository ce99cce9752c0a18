"""Real servers on loopback for tests: in this process around an engine of the test's own, or `python -m ttsworker`."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ttsworker.clock import Clock
from ttsworker.engines import Engine
from ttsworker.http.app import create_app
from ttsworker.http.server import listen, serve
from ttsworker.http.tls import Certificate
from ttsworker.models.loaded import EngineFactory, LoadedModel
from ttsworker.settings import Settings
from ttsworker.worker import Worker

PATIENCE_SECONDS = 200.0
"""After which a test gives up waiting; no test needs to be this slow."""


PLAIN: dict[str, Any] = {
    "termination_log": Path("/nowhere"),
    "cache_ttl_seconds": 0,
    "rate_limit_per_second": 0,
    "max_requests_per_client": 0,
}


@dataclass
class Served:
    """A server in this process. `ended` gives its exit code."""

    worker: Worker
    client: httpx.AsyncClient
    stop: asyncio.Event
    ended: asyncio.Task[int]
    port: int

    @property
    def model(self) -> LoadedModel:
        """The active model."""
        return self.worker.failover.active


@asynccontextmanager
async def serving(
    engine: Engine | EngineFactory,
    *,
    wait: bool = True,
    clock: Clock | None = None,
    exit_timeout: float = PATIENCE_SECONDS,
    certificate: Certificate | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Serve this engine and wait until it is ready. Nothing is cached or limited unless the settings say so."""
    make = engine if callable(engine) else lambda _: engine
    worker = Worker(Settings(**{**PLAIN, **settings}), make_engine=make, clock=clock, exit_timeout=exit_timeout)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    stop = asyncio.Event()
    ended = asyncio.create_task(serve_worker(worker, listener, stop, certificate))
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=f"{'https' if certificate else 'http'}://127.0.0.1:{port}", timeout=PATIENCE_SECONDS, limits=limits
    ) as client:
        try:
            if wait:
                await until(lambda: worker.admission.state != "starting" or ended.done())
            yield Served(worker, client, stop, ended, port)
        finally:
            stop.set()
            await ended


async def serve_worker(
    worker: Worker, listener: socket.socket, stop: asyncio.Event, certificate: Certificate | None = None
) -> int:
    """Serve as `ttsworker serve` does; returns the exit code."""
    app = create_app(worker.parts, redis=worker.redis)
    return await serve(
        app, worker, worker.settings, listener=listener, stop=stop, clock=worker.clock, certificate=certificate
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails the test when it does not come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for does not come"
        await asyncio.sleep(0.01)


@dataclass
class WorkerProcess:
    """A running `python -m ttsworker serve` and what it has logged so far."""

    process: subprocess.Popen[str]
    lines: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False

    def wait_for(self, message: str, **fields: str) -> dict[str, Any]:
        """Return the log line with this message and these fields, waiting for it."""
        wanted = {"message": message, **fields}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            ended = self.closed
            for line in list(self.lines):
                if line | wanted == line:
                    return line
            if ended:
                break
            time.sleep(0.02)
        raise AssertionError(f"no line with {wanted} among {self.lines}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.wait_for('listening')['port']}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.wait_for('listening')['metrics_port']}/metrics"

    def terminate(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(json.loads(line))
        self.closed = True


@contextmanager
def worker_process(environment: Mapping[str, str] | None = None) -> Iterator[WorkerProcess]:
    """Start the worker on free ports of loopback; it is ended with the block."""
    own = {"TTSWORKER_HOST": "127.0.0.1", "TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    own["TTSWORKER_RATE_LIMIT_PER_SECOND"] = own["TTSWORKER_MAX_REQUESTS_PER_CLIENT"] = "0"  # a test asks as it likes
    process = subprocess.Popen(
        [sys.executable, "-m", "ttsworker", "serve"],
        env={**os.environ, **own, **(environment or {})},
        stderr=subprocess.PIPE,
        text=True,
    )
    worker = WorkerProcess(process)
    reader = threading.Thread(target=worker.read)
    reader.start()
    try:
        yield worker
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        assert process.stderr
        process.stderr.close()
