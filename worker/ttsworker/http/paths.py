"""One spelling of each path, found once before anything looks at it: keys, limits, metrics and routes see the same."""

from starlette.types import ASGIApp, Receive, Scope, Send

_VERSION = "v1"
_VERSIONED = {"audio", "models"}
"""What follows /v1: clients whose base URL lacks it ask for /audio/speech, and some add it twice."""


class CanonicalPath:
    """Wraps everything. So no spelling of a path goes round a check, and no answer is a redirect."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its one path."""
        if scope["type"] == "http":
            scope["path"] = canonical(scope["path"])
        await self._app(scope, receive, send)


def canonical(path: str) -> str:
    """Return the path with single slashes and none at its end, with /v1 once where it belongs.

    It is decoded already, so %2F is a slash. Dots stay: no route has them.
    """
    if not path.startswith("/"):  # OPTIONS *
        return path
    parts = [part for part in path.split("/") if part]
    versions = next((place for place, part in enumerate(parts) if part != _VERSION), len(parts))
    rest = parts[versions:]
    if versions or (rest and rest[0] in _VERSIONED):
        rest = [_VERSION, *rest]
    return "/" + "/".join(rest)
