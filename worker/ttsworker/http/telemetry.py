"""Middleware around every request: its id, trace, log line and metrics, and the answer to an unexpected error."""

import asyncio
import logging
import re
import uuid
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ttsworker.clock import Clock
from ttsworker.http.access.middleware import CLIENT_KEY, QUIET
from ttsworker.http.errors import ApiError, answer_to
from ttsworker.http.speech_response import OUTCOME
from ttsworker.models.failover import Failover
from ttsworker.observe.logs import request_id
from ttsworker.observe.metrics import Metrics
from ttsworker.observe.tracing import Tracer, describe_answer
from ttsworker.scheduling.stream import Interrupted

REQUEST_ID_HEADER = "X-Request-ID"

_ACCEPTABLE_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

_METHODS = {"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"}

log = logging.getLogger(__name__)


def answer_to_bug() -> ApiError:
    """Return the answer to an unexpected error in a request."""
    return ApiError(500, "internal_error", f"unexpected error; the worker's log has it under {request_id.get()}")


class Telemetry:
    """Wraps the whole application. Metrics and spans are of the `counted` paths; `quiet` ones log at DEBUG."""

    def __init__(
        self,
        app: ASGIApp,
        failover: Failover,
        metrics: Metrics,
        tracer: Tracer,
        *,
        clock: Clock,
        counted: Collection[str],
        quiet: Collection[str],
    ) -> None:
        self._app = app
        self._failover = failover
        self._metrics = metrics
        self._tracer = tracer
        self._clock = clock
        self._counted = counted
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other ASGI messages pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        wanted = headers.get(REQUEST_ID_HEADER, "")
        identifier = wanted if _ACCEPTABLE_ID.fullmatch(wanted) else uuid.uuid4().hex
        token = request_id.set(identifier)
        try:
            with self._tracer.following(headers, self._span_name(scope)):
                await self._answer(identifier, scope, receive, send)
        finally:
            request_id.reset(token)

    async def _answer(self, identifier: str, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock.monotonic()
        state = scope.setdefault("state", {})
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = identifier
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            state[OUTCOME] = "499"
        except asyncio.CancelledError:  # by uvicorn, of a request that is not over at the end of the drain timeout
            state[OUTCOME] = "aborted" if status else "503"
            if not status:
                await answer_to(Interrupted()).response()(scope, receive, send_with_id)
        except Exception:  # a bug: log it once, answer in the shape of every other error, and keep serving
            log.exception("unexpected error")
            if not status:
                await answer_to_bug().response()(scope, receive, send_with_id)
        finally:
            outcome = state.get(OUTCOME, str(status))
            model = self._failover.active.name if self._failover.loaded else ""
            describe_answer(status, outcome, model)
            self._record(scope, outcome, model, self._clock.monotonic() - started)

    def _span_name(self, scope: Scope) -> str | None:
        """Name the span of a counted request; a method that is not of HTTP's is not part of the name."""
        if scope["path"] not in self._counted:
            return None
        return f"{scope['method'] if scope['method'] in _METHODS else 'HTTP'} {scope['path']}"

    def _record(self, scope: Scope, outcome: str, model: str, seconds: float) -> None:
        if scope["path"] in self._counted:
            self._metrics.answered(model, outcome, seconds)
        quiet = scope["path"] in self._quiet or scope["state"].get(QUIET)
        level = logging.DEBUG if quiet else logging.INFO
        request: dict[str, object] = {"method": scope["method"], "path": scope["path"], "status": outcome}
        request["seconds"] = round(seconds, 4)
        if key := scope["state"].get(CLIENT_KEY):
            request["client"] = key
        log.log(level, "request", extra=request)
