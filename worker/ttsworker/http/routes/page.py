"""The page at `/`: all its files come from this package, none from another server."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response

from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import ActiveModel, LoadedParts

PAGE_PATH = "/"

_SCRIPT, _STYLE, _ICON, _HTML = "text/javascript", "text/css", "image/svg+xml", "text/html"
_INDEX = "index.html"
_KINDS = {
    _INDEX: _HTML,
    "style.css": _STYLE,
    "icon.svg": _ICON,
    "app.js": _SCRIPT,
    "api.js": _SCRIPT,
    "examples.js": _SCRIPT,
    "form.js": _SCRIPT,
    "pcm.js": _SCRIPT,
    "player.js": _SCRIPT,
    "wav.js": _SCRIPT,
    "waveform.js": _SCRIPT,
}
"""The names of all files; no other name reaches the file system."""

_HEADERS = {
    # Scripts, styles and requests only of this server, nothing inline, no framing; blob: is the finished WAV.
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Browsers cache a file but revalidate it each time: a new version shows at once, an unchanged one costs a 304.
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class _Asset:
    content: bytes
    kind: str
    etag: str


@router.get(PAGE_PATH)
async def index(request: Request) -> Response:
    """Return the page."""
    return _answer(request, _INDEX)


@router.get("/web/page.json")
async def facts(parts: LoadedParts, model: ActiveModel) -> dict[str, Any]:
    """Return the facts that the page needs and no other API has."""
    return {
        "model": model.name,
        "languages": list(model.engine.languages),
        "max_text_length": parts.settings.max_text_length,
    }


@router.get("/web/{name:path}")
async def asset(request: Request, name: str) -> Response:
    """Return one of the page's files; raises ApiError 404 for any other name."""
    if name not in _KINDS or name == _INDEX:
        raise ApiError(404, "not_found", "the page has no file of this name")
    return _answer(request, name)


def _answer(request: Request, name: str) -> Response:
    found = _load(name)
    headers = {**_HEADERS, "ETag": found.etag}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.kind, headers=headers)


@cache
def _load(name: str) -> _Asset:
    content = files("ttsworker.http").joinpath("web", name).read_bytes()
    return _Asset(content, _KINDS[name], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
