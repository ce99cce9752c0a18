"""The process: its two listening sockets, its signals, and how it ends."""

import asyncio
import logging
import math
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import disable_created_metrics, start_http_server

from ttscontract.pods import VARIABLE_PREFIX
from ttscontract.reasons import Reason
from ttsworker.engines import ModelError
from ttsworker.http.app import create_app
from ttsworker.http.connection import connection_class
from ttsworker.http.connection_reaper import abort_the_unread, part_from_silent_clients
from ttsworker.http.tls import Certificate, load_certificate
from ttsworker.observe.termination import report_failure
from ttsworker.observe.tracing import Tracer, make_tracer
from ttsworker.settings import InvalidSettings, Settings
from ttsworker.worker import Worker

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection, so that it is never the worker that closes it under a request."""

MIN_CLOSE_SECONDS = 2
"""For connections to close once the last request is answered, even when the drain timeout is used up."""

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: they stop serving at once and then let the process die of the signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `serve`."""
        yield


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code.

    Raises InvalidSettings for a port in use or a certificate that cannot be used.
    """
    certificate = load_certificate(settings)
    worker = Worker(settings)
    listener = listen(settings.host, settings.port)
    metrics_port = serve_metrics(worker)
    port, scheme = listener.getsockname()[1], "https" if certificate else "http"
    log.info("listening", extra={"port": port, "scheme": scheme, "metrics_port": metrics_port})
    tracer = make_tracer()
    renewing = asyncio.create_task(certificate.watch()) if certificate else None
    try:
        return await serve(worker, listener, catch_signals(), certificate, tracer)
    finally:
        tracer.close()
        if renewing:
            renewing.cancel()


async def serve(
    worker: Worker,
    listener: socket.socket,
    stop: asyncio.Event,
    certificate: Certificate | None = None,
    tracer: Tracer | None = None,
) -> int:
    """Serve until `stop`, drain, and close everything; returns the exit code: 0 when no accepted request was lost."""
    server = Server(
        uvicorn.Config(
            create_app(worker, tracer),
            http=connection_class(worker.settings),
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="on",
            proxy_headers=False,  # uvicorn would believe whatever loopback says; access/clients.py knows better
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ssl_context_factory=(lambda _config, _default: certificate.context) if certificate else None,
        )
    )
    connections = server.server_state.connections
    sweeping = asyncio.create_task(abort_the_unread(connections, worker.settings.request_timeout_seconds))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    code = 1
    drain_seconds = worker.settings.drain_timeout_seconds
    try:
        if await _live(worker, stop):
            started = time.monotonic()
            code = 1 if await worker.drain() else 0
            drain_seconds -= time.monotonic() - started
    finally:
        # Audio that has been handed to the connections may still be on its way to slow clients.
        server.config.timeout_graceful_shutdown = max(MIN_CLOSE_SECONDS, math.ceil(drain_seconds))
        server.should_exit = True
        parting = asyncio.create_task(part_from_silent_clients(connections, after=MIN_CLOSE_SECONDS))
        await serving
        parting.cancel()
        sweeping.cancel()
        if not await worker.close():
            log.error("the engine does not come back: leaving it behind")
    return code


def listen(host: str, port: int, setting: str = "PORT") -> socket.socket:
    """Open the API's socket; `::` takes IPv4 too. Raises InvalidSettings that names the setting of the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise _cannot_listen(host, port, setting, error) from error


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


async def _live(worker: Worker, stop: asyncio.Event) -> bool:
    """Start the worker and wait for the end; false when it could not be started, which has then been reported."""
    starting = asyncio.create_task(worker.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return True
    try:
        await starting
    except ModelError as error:
        report_failure(error.reason, str(error), worker.settings.termination_log)
    except Exception as error:  # a fault of the engine's libraries or ours: its trace is for us, the line for the user
        log.exception("the engine cannot start")
        message = f"the engine cannot start: {type(error).__name__}: {error}"
        report_failure(Reason.ENGINE_UNAVAILABLE, message, worker.settings.termination_log)
    else:
        await stopping
        return True
    finally:
        stopping.cancel()
    return False


def _cannot_listen(host: str, port: int, setting: str, error: OSError) -> InvalidSettings:
    return InvalidSettings(
        f"cannot listen on {host}:{port} ({error.strerror}): set {VARIABLE_PREFIX}{setting} to a free port"
    )
