"""Tell requests that a page of another site made a browser send, which nobody at that browser asked for. Pure.

Browsers ask first (a CORS preflight) before a page sends JSON to another site, and the worker agrees for the origins
that it allows. Some requests they send without asking: a GET, and a POST whose type a form has. Without keys the worker
could not tell them from its own users', so they are judged by what the browser says of them, which no page can change.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

UNASKED_TYPES = frozenset({"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
"""Content types of requests that browsers send without asking first; "" is none."""


def media_type(content_type: str) -> str:
    """Return a content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def from_another_site(headers: Headers) -> bool:
    """Return whether a browser sent this for a page of another site, without asking first.

    `Sec-Fetch-Site` says it, which browsers send to HTTPS and to localhost. Elsewhere the host of `Origin` is compared
    with the one that was asked. The port does not count, as it does not for browsers. Programs send neither.
    """
    if media_type(headers.get("content-type", "")) not in UNASKED_TYPES:
        return False
    if site := headers.get("sec-fetch-site"):
        return site == "cross-site"
    origin = headers.get("origin")
    if origin is None:
        return False
    asked = {_host(f"//{headers.get(name, '')}") for name in ("host", "x-forwarded-host")}
    return _host(origin) not in asked - {None}


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
