"""The methods of each path: HEAD where there is GET, OPTIONS everywhere, and `Allow` with all of them."""

from collections.abc import Iterable

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ttsworker.http.errors import ApiError

SERVER = "*"
"""The path of `OPTIONS *`."""

HEAD_ONLY = "head_only"
"""Entry of the ASGI scope's state: the request is a HEAD, which a route sees as a GET. uvicorn drops the body."""


class Methods:
    """Wraps the router, whose own answers know one route of a path and not the others."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self._app = app
        self._routes = list(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS and a method that the path does not have; an unknown path is the router's to refuse."""
        if scope["type"] != "http" or not (allowed := self.allowed(scope["path"])):
            await self._app(scope, receive, send)
            return
        method, allow = scope["method"], {"Allow": ", ".join(sorted(allowed))}
        if method == "OPTIONS":
            await Response(status_code=204, headers=allow)(scope, receive, send)
        elif method not in allowed or scope["path"] == SERVER:
            message = f"{method} {scope['path']}: this path takes {allow['Allow']}; /openapi.json lists what there is"
            await ApiError(405, "method_not_allowed", message, headers=allow).response()(scope, receive, send)
        elif method == "HEAD":
            scope["state"][HEAD_ONLY] = True
            await self._app({**scope, "method": "GET"}, receive, send)
        else:
            await self._app(scope, receive, send)

    def allowed(self, path: str) -> set[str]:
        """Return the methods of this path, none for an unknown path; `*` is the server, which proxies ask."""
        methods: set[str] = set()
        for route in self._routes:
            if path == SERVER or route.path_regex.match(path):
                methods |= route.methods or set()
        if "GET" in methods:
            methods.add("HEAD")
        return methods | {"OPTIONS"} if methods else methods
