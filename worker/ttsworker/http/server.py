"""The server's process: its listening sockets, its signals, and its end."""

import asyncio
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from ttscontract.pods import VARIABLE_PREFIX
from ttscontract.reasons import Reason
from ttsworker.clock import Clock
from ttsworker.engines import ModelError
from ttsworker.http.connection import Connection, connection_class
from ttsworker.http.connection_limit import ConnectionLimit, most_connections
from ttsworker.http.connection_reaper import abort_slow_closes, abort_unconfirmed_closes
from ttsworker.http.listener import Listener
from ttsworker.http.tls import Certificate
from ttsworker.observe.termination import report_failure
from ttsworker.settings import InvalidSettings, Settings
from ttsworker.speech.validation import longest_request

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
"""Longer than proxies keep an idle connection: the worker never closes one on which a request is on its way."""

MIN_CLOSE_SECONDS = 2
"""Time for connections to close after the last answer, even when the drain timeout is used up."""

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn with a `Listener`, and without its signal handlers, which end the process by the signal at once."""

    def __init__(self, config: uvicorn.Config, clock: Clock) -> None:
        super().__init__(config)
        self._clock = clock

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and listen."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        limit, tls = self._connection_class.limit, self.config.ssl
        listeners = [Listener(each, self._connect, limit=limit, clock=self._clock, tls=tls) for each in sockets or []]
        self.servers = listeners  # type: ignore[assignment] # it closes them as it would close its own
        self.started = True

    def _connect(self) -> Connection:
        return self._connection_class(self.config, self.server_state, self.lifespan.state)

    @property
    def _connection_class(self) -> type[Connection]:
        return self.config.http_protocol_class  # type: ignore[return-value] # it was given as `http`

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `catch_signals`."""
        yield


class Lifecycle(Protocol):
    """What is started before the first request and drained and closed after the last: the worker."""

    async def start(self) -> None:
        """Get ready for requests; raises ModelError."""
        ...

    async def drain(self) -> int:
        """Finish the accepted requests; returns how many were lost."""
        ...

    async def close(self) -> bool:
        """Stop everything; false when an engine does not return from a call."""
        ...


def make_config(app: ASGIApp, connection: type[Connection], **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration for one of the two ports; `options` are what the ports do not share."""
    return uvicorn.Config(
        app,
        http=connection,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # uvicorn would trust every header from loopback; access/clients.py does this
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        **options,
    )


async def serve(
    app: ASGIApp,
    worker: Lifecycle,
    settings: Settings,
    *,
    listener: socket.socket,
    stop: asyncio.Event,
    clock: Clock,
    certificate: Certificate | None = None,
) -> int:
    """Serve until `stop`, drain, and close everything; returns the exit code: 0 when no accepted request was lost."""
    tls = (lambda _config, _default: certificate.context) if certificate else None
    config = make_config(app, _api_connection(settings, clock), lifespan="on", ssl_context_factory=tls)
    server = Server(config, clock)
    connections = server.server_state.connections
    request_seconds = settings.request_timeout_seconds
    reaping_slow = asyncio.create_task(abort_slow_closes(connections, after=request_seconds, clock=clock))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    code = 1
    drain_seconds = settings.drain_timeout_seconds
    try:
        if await _run_until_stopped(worker, stop, settings.termination_log):
            started = clock.monotonic()
            code = 1 if await worker.drain() else 0
            drain_seconds -= clock.monotonic() - started
    finally:
        # Slow clients may still be reading audio that the connections have taken.
        server.config.timeout_graceful_shutdown = max(MIN_CLOSE_SECONDS, math.ceil(drain_seconds))
        server.should_exit = True
        reaping_idle = asyncio.create_task(abort_unconfirmed_closes(connections, after=MIN_CLOSE_SECONDS, clock=clock))
        await serving
        reaping_idle.cancel()
        reaping_slow.cancel()
        if not await worker.close():
            log.error("the engine does not return from a call: exiting without it")
    return code


def listen(host: str, port: int, setting: str = "PORT") -> socket.socket:
    """Open the API's socket; `::` takes IPv4 too. Raises InvalidSettings that names the setting of the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise _cannot_listen(host, port, setting, error) from error


def catch_signals() -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; a second signal ends the process at once."""
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            log.error("second %s: exiting at once", number.name)
            os._exit(128 + number)
        log.info("%s: shutting down", number.name)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop


def _api_connection(settings: Settings, clock: Clock) -> type[Connection]:
    return connection_class(
        ConnectionLimit(most_connections(settings), "API", clock),
        max_head_bytes=longest_request(settings.max_text_length),  # a text may be in the address
        head_seconds=settings.request_timeout_seconds,
        clock=clock,
    )


async def _run_until_stopped(worker: Lifecycle, stop: asyncio.Event, termination_log: Path) -> bool:
    """Start the worker and wait for `stop`; reports a failed start and returns false then."""
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
        report_failure(error.reason, str(error), termination_log)
    except Exception as error:  # a bug in the engine's libraries or in ours: the trace is for developers
        log.exception("the engine cannot start")
        message = f"the engine cannot start: {type(error).__name__}: {error}"
        report_failure(Reason.ENGINE_UNAVAILABLE, message, termination_log)
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
