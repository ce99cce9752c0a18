"""What happens around every request: its id, its line in the log, its place in the metrics, its unexpected end."""

import logging
import re
import time
import uuid
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ttsworker.access.middleware import CLIENT_KEY
from ttsworker.errors import ApiError
from ttsworker.logs import request_id
from ttsworker.speaking import OUTCOME
from ttsworker.worker import Worker

REQUEST_ID_HEADER = "X-Request-ID"

_ACCEPTABLE_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

log = logging.getLogger(__name__)


class Telemetry:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, worker: Worker, counted: Collection[str], quiet: Collection[str]) -> None:
        self._app = app
        self._worker = worker
        self._counted = counted
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other ASGI messages pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        identifier = wanted if _ACCEPTABLE_ID.fullmatch(wanted) else uuid.uuid4().hex
        token = request_id.set(identifier)
        started = time.perf_counter()
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
        except Exception:  # a bug: tell it once, in our log and in our shape, and keep serving
            log.exception("unexpected error")
            if not status:
                error = ApiError(500, "internal_error", f"unexpected error; the worker's log has it under {identifier}")
                await error.response()(scope, receive, send_with_id)
        finally:
            self._tell(scope, state.get(OUTCOME, str(status)), time.perf_counter() - started)
            request_id.reset(token)

    def _tell(self, scope: Scope, outcome: str, seconds: float) -> None:
        if scope["path"] in self._counted:
            name = self._worker.model_name if self._worker.loaded else ""
            self._worker.metrics.answered(name, outcome, seconds)
        level = logging.DEBUG if scope["path"] in self._quiet else logging.INFO
        request: dict[str, object] = {"method": scope["method"], "path": scope["path"], "status": outcome}
        request["seconds"] = round(seconds, 4)
        if key := scope["state"].get(CLIENT_KEY):
            request["client"] = key
        log.log(level, "request", extra=request)
