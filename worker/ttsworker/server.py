"""The process: its two listening sockets, its signals, and how it ends."""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from prometheus_client import disable_created_metrics, start_http_server

from ttsworker.app import create_app
from ttsworker.settings import PREFIX, InvalidSettings, Settings
from ttsworker.store import ModelError
from ttsworker.worker import Worker

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection, so that it is never the worker that closes it under a request."""

CLOSE_SECONDS = 2
"""For connections to close once the last request is answered."""

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: they stop serving at once and then let the process die of the signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`."""
        yield


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code. Raises InvalidSettings for a port in use."""
    worker = Worker(settings)
    listener = listen(settings.host, settings.port)
    metrics_port = serve_metrics(worker)
    log.info("listening", extra={"port": listener.getsockname()[1], "metrics_port": metrics_port})
    return await serve(worker, listener, catch_signals())


async def serve(worker: Worker, listener: socket.socket, stop: asyncio.Event) -> int:
    """Serve until `stop`, drain, and close everything; returns the exit code: 0 when no accepted request was lost."""
    server = Server(
        uvicorn.Config(
            create_app(worker),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        return await _live(worker, stop)
    finally:
        server.should_exit = True
        await serving
        if not await worker.close():
            log.error("the engine does not come back: leaving it behind")


def listen(host: str, port: int) -> socket.socket:
    """Open the API's socket; `::` takes IPv4 too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise _cannot_listen(host, port, "PORT", error) from error


def serve_metrics(worker: Worker) -> int:
    """Answer /metrics from a thread of its own, however busy the API is; returns the port."""
    settings = worker.settings
    disable_created_metrics()  # type: ignore[no-untyped-call]
    try:
        server, _ = start_http_server(settings.metrics_port, settings.host, worker.metrics.registry)
    except OSError as error:
        raise _cannot_listen(settings.host, settings.metrics_port, "METRICS_PORT", error) from error
    return server.server_port


def catch_signals() -> asyncio.Event:
    """Return what the first SIGTERM or SIGINT sets; a second one ends the process at once."""
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            log.error("second %s: leaving at once", number.name)
            os._exit(128 + number)
        log.info("%s: shutting down", number.name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


def report_failure(reason: str, message: str, path: Path) -> None:
    """Tell why the worker cannot run: one line in the log, and the container's termination message where it has one."""
    log.critical(message, extra={"reason": reason})
    if path.exists():
        path.write_text(json.dumps({"reason": reason, "message": message[:2000]}), encoding="utf-8")


async def _live(worker: Worker, stop: asyncio.Event) -> int:
    starting = asyncio.create_task(worker.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if starting.done():
            await starting
            await stopping
            return 1 if await worker.drain() else 0
    except ModelError as error:
        report_failure(error.reason, str(error), worker.settings.termination_log)
        return 1
    finally:
        starting.cancel()
        stopping.cancel()
    worker.admission.state = "draining"
    return 0


def _cannot_listen(host: str, port: int, setting: str, error: OSError) -> InvalidSettings:
    return InvalidSettings(f"cannot listen on {host}:{port} ({error.strerror}): set {PREFIX}{setting} to a free port")
