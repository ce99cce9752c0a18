"""The port of /metrics: a thread with an event loop of its own, and few connections.

Both ports in one event loop would be simpler, but a scrape would then wait whenever the API's loop is busy, just when
the load is of interest, and the autoscaler would miss it. A thread for every connection would have no bound.
"""

import asyncio
import socket
import threading

import uvloop
from prometheus_client import CollectorRegistry, disable_created_metrics, make_asgi_app
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ttsworker.clock import SystemClock
from ttsworker.http.connection import connection_class
from ttsworker.http.connection_limit import ConnectionLimit
from ttsworker.http.errors import ApiError
from ttsworker.http.server import Server, make_config

MAX_CONNECTIONS = 256
"""Prometheus and the operator need one each; they wait behind a flood of new ones, of which each has GRACE_SECONDS."""

HEAD_SECONDS = 10.0
MAX_HEAD_BYTES = 16_384
CLOSE_SECONDS = 5.0


class MetricsServer:
    """Answers on a listening socket until it is closed."""

    def __init__(self, listener: socket.socket, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        clock = SystemClock()
        connection = connection_class(
            ConnectionLimit(MAX_CONNECTIONS, "metrics", clock),
            max_head_bytes=MAX_HEAD_BYTES,
            head_seconds=HEAD_SECONDS,
            clock=clock,
        )
        config = make_config(MetricsApp(registry), connection, lifespan="off", timeout_graceful_shutdown=1)
        self._server = Server(config, clock)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        self._thread.join(CLOSE_SECONDS)

    def _run(self, listener: socket.socket) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._server.serve(sockets=[listener]))


class MetricsApp:
    """The metrics in Prometheus's formats, at every path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._metrics: ASGIApp = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        allow = {"Allow": "GET, HEAD, OPTIONS"}
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=allow)(scope, receive, send)
        elif scope["method"] not in {"GET", "HEAD"}:
            message = f"{scope['method']}: the metrics can be read only"
            await ApiError(405, "method_not_allowed", message, headers=allow).response()(scope, receive, send)
        else:
            try:
                await self._metrics(scope, _no_body, send)
            except UnicodeDecodeError:  # before it has sent anything
                error = ApiError(400, "invalid_query", "the query or a header is not UTF-8")
                await error.response()(scope, receive, send)


async def _no_body() -> Message:
    """Stand for the request's body, which nobody waits for."""
    return {"type": "http.request"}
