"""Turn a web server's responses and failures into download errors."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError, TransientError
from ttsworker.fetch.terms import Terms

MAX_RETRY_AFTER_SECONDS = 60.0

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(?:(\d{1,18})|\*)", re.ASCII)
"""No file is longer; and Python reads no number of thousands of digits."""


def raise_for_status(response: httpx.Response, terms: Terms) -> None:
    """Raise the FetchError for a response that does not contain the file."""
    status = response.status_code
    if status in {200, 206}:
        return
    what = f"{without_query(str(response.request.url))} answers {status} {response.reason_phrase}"
    if status in {404, 410}:
        raise FetchError(Reason.SOURCE_NOT_FOUND, f"{what}: correct {terms.source}")
    if status in {401, 402, 403, 407, 451}:
        raise FetchError(Reason.SOURCE_FORBIDDEN, f"{what}: the source must be readable without a login")
    if status in {408, 416, 425, 429} or status >= 500:
        raise TransientError(what, retry_after=_retry_after(response))
    raise FetchError(Reason.SOURCE_INVALID, f"{what}: correct {terms.source}")


def content_range(response: httpx.Response) -> tuple[int | None, int | None]:
    """Return the first byte and the whole length that Content-Range states."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    first, total = match.groups() if match else (None, None)
    return int(first) if first else None, int(total) if total else None


def without_query(url: str) -> str:
    """Return a URL for messages: without its query, which may contain a token."""
    return url.split("?", 1)[0]


@contextmanager
def http_errors(max_redirects: int) -> Iterator[None]:
    """Turn httpx's exceptions into FetchError, into TransientError where a retry may succeed."""
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise invalid(f"it redirects more than {max_redirects} times") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise invalid(f"it redirects to an address that is not http(s) ({error})") from error
    except httpx.TransportError as error:
        if distrust := _distrust(error):
            raise invalid(f"the server's certificate is not trusted ({distrust.verify_message})") from error
        message = f"{error.request.url.host} cannot be reached ({type(error).__name__}: {error})"
        raise TransientError(message) from error


def invalid(why: str) -> FetchError:
    """Return the error for a source that no retry can fix."""
    return FetchError(Reason.SOURCE_INVALID, f"the source cannot be used: {why}")


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), MAX_RETRY_AFTER_SECONDS) if seconds.isdecimal() else 0


def _distrust(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None
