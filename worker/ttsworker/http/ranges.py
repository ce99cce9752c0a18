"""Which bytes of a complete answer a `Range` header asks for (RFC 9110, section 14): pure."""

import re

from starlette.datastructures import Headers

from ttsworker.http.errors import ApiError

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,1000})-([0-9]{0,1000})[ \t]*", re.ASCII | re.IGNORECASE)


def wanted_bytes(header: str, length: int) -> range | None:
    """Return the bytes that a client wants of an answer of `length` bytes, None for all of it.

    As the RFC allows, several ranges and whatever is not valid are answered with everything. Raises ApiError 416 for a
    range that begins after the end.
    """
    match = _ONE_RANGE.fullmatch(header)
    first, last = match.groups() if match else ("", "")
    if first:
        start, end = int(first), int(last) + 1 if last else length
        if start >= end and last:
            return None
    elif last:  # the last so many bytes
        start, end = max(0, length - int(last)), length
    else:
        return None
    if start >= length:
        message = f"the audio has {length} bytes: ask for a range within it, or for all of it without Range"
        raise ApiError(416, "range_not_satisfiable", message, headers={"Content-Range": f"bytes */{length}"})
    return range(start, min(end, length))


class Cut:
    """Cuts the wanted bytes out of an answer of `length` bytes that comes in chunks.

    Raises ApiError 416 where a GET with these headers asks for bytes that the answer does not have.
    """

    def __init__(self, length: int, method: str, headers: Headers) -> None:
        self.headers: dict[str, str] = {}
        """Headers of the answer."""
        wanted = None
        if method == "GET":
            self.headers["accept-ranges"] = "bytes"
            if "if-range" not in headers:  # the client wants all of it when it has changed: no answer has an ETag
                wanted = wanted_bytes(",".join(headers.getlist("range")), length)
        if wanted is not None:
            self.headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{length}"
        self.status = 200 if wanted is None else 206
        self._wanted = range(length) if wanted is None else wanted
        self.headers["content-length"] = str(len(self._wanted))
        self._seen = 0

    @property
    def complete(self) -> bool:
        """Whether no later chunk has wanted bytes."""
        return self._seen >= self._wanted.stop

    def take(self, chunk: bytes) -> bytes:
        """Return the wanted bytes of the next chunk."""
        before, self._seen = self._seen, self._seen + len(chunk)
        return chunk[max(0, self._wanted.start - before) : max(0, self._wanted.stop - before)]
