"""The ASGI middleware that checks keys and rate limits before a request reaches the application."""

from collections.abc import Callable, Collection
from contextlib import ExitStack

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ttscontract.pods import HEALTH_PATH, READY_PATH
from ttsworker.http.access.gate import Gate
from ttsworker.http.errors import ApiError

OPEN_PATHS = frozenset({"/", HEALTH_PATH, READY_PATH, "/openapi.json"})
OPEN_PREFIX = "/web/"
"""Paths that need no key, such as the page and its files. Every other path needs one, so a new route is protected until
it is added here."""

CLIENT_KEY = "client_key"
"""Entry of the ASGI scope's state that holds the name of the request's key."""

CLIENT = "client"
"""Entry of the ASGI scope's state that holds the name under which the request's client shares the worker."""

QUIET = "quiet"
"""Entry of the state of a request that the log has no line of its own for."""

_KEY_REFUSALS = frozenset({"invalid_api_key", "too_many_wrong_keys"})
"""Codes of refusals that the gate logs, many in one line."""

DRAINED_BYTES = 65_536
"""Bytes of a refused request's body to read and drop, so that the client can reuse its connection."""


def is_open(path: str) -> bool:
    """Return whether this path needs no key."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


class Access:
    """Wraps the application. Limits count requests to `limited` paths; `refused` gets the code of each refusal."""

    def __init__(self, app: ASGIApp, gate: Gate, *, limited: Collection[str], refused: Callable[[str], None]) -> None:
        self._app = app
        self._gate = gate
        self._limited = limited
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Accept or refuse a request; refuse every WebSocket, because no route uses them."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        with ExitStack() as places:
            if scope["type"] == "http" and not is_open(scope["path"]):
                headers = Headers(scope=scope)
                try:
                    await self._admit(scope, headers, places)
                except ApiError as error:
                    self._refused(error.code)
                    scope["state"][QUIET] = error.code in _KEY_REFUSALS
                    if _has_long_body(headers):
                        error.headers = {**(error.headers or {}), "Connection": "close"}
                    await error.response()(scope, receive, send)
                    return
            await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, headers: Headers, places: ExitStack) -> None:
        state = scope.setdefault("state", {})
        peer = scope.get("client")
        client = await self._gate.identify(headers, peer[0] if peer else None)
        state.update({CLIENT_KEY: client.key, CLIENT: client.share})
        if scope["path"] in self._limited:
            if scope["method"] != "OPTIONS":  # which speaks nothing
                self._gate.check_origin(headers)
            await self._gate.count(client)
            places.enter_context(self._gate.place(client))


def _has_long_body(headers: Headers) -> bool:
    length = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not length.isdigit() or int(length) > DRAINED_BYTES
