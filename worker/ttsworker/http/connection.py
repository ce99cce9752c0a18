"""A client's connection: uvicorn's, with bounds on the head of a request, which uvicorn has none for.

The body's bounds are the routes': they know what they read.
"""

import asyncio
import json
from http import HTTPStatus
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ttsworker.http.errors import ApiError
from ttsworker.settings import Settings
from ttsworker.speech.validation import longest_request

_OFFER = {b"connection", b"upgrade", b"http2-settings"}
"""Headers that belong to an offer of another protocol."""


class Connection(HttpToolsProtocol):
    """One connection; between two requests it expects a head, and from its first byte the clock runs.

    `max_head_bytes` bounds memory, not taste: what comes in one read is taken whole, a read being up to 256 KiB.
    """

    max_head_bytes: ClassVar[int]
    head_seconds: ClassVar[float]

    _expecting_head = True
    _head_bytes = 0
    _heads = 0
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Begin to wait: even for the first byte nobody has for ever."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse some bytes, and count them where all of them belong to a head that is not complete yet."""
        if self.transport.is_closing():  # refused already; TLS still delivers what it had read
            return
        expecting, heads = self._expecting_head, self._heads
        self._unset_keepalive_if_required()
        self._parse(data)
        if expecting and heads == self._heads and not self.transport.is_closing():
            self._head_bytes += len(data)
            self._start_clock()
            if self._head_bytes > self.max_head_bytes:
                message = f"address and headers have more than {self.max_head_bytes} bytes: send a long text by POST"
                self._refuse(ApiError(431, "headers_too_large", message))

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head, also behind another request that is being answered."""
        super().on_message_begin()
        self._head_bytes += 1
        self._start_clock()

    def on_headers_complete(self) -> None:
        """Start the request, unless it offers another protocol: then it is read once more."""
        if self.parser.should_upgrade():
            return
        self._stop_clock()
        super().on_headers_complete()
        self._expecting_head = False
        self._heads += 1

    def on_message_complete(self) -> None:
        """End the request's body: what comes next is another head."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._expecting_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the shape of every other error."""
        self._refuse(ApiError(400, "invalid_http", f"{msg.rstrip('.')}: is the client speaking HTTP/1.1?"))

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def _decline(self, rest: bytes) -> None:
        """Read the request as if it had not offered another protocol, which Java's client does with every first one.

        httptools ends there and then, and uvicorn goes on without the body.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(ApiError(405, "method_not_allowed", "this is no proxy: send the request itself"))
            return
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        kept = [header for header in self.headers if header[0] not in _OFFER]
        kept += [(b"connection", b"close")] if closes else []
        lines = [method + b" " + self.url + b" HTTP/1.1", *(name + b": " + value for name, value in kept)]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._parse(b"\r\n".join([*lines, b"", rest]))

    def _start_clock(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        if self._head_bytes:
            message = f"the headers did not come within {self.head_seconds:g} s: send them faster"
            self._refuse(ApiError(408, "headers_timeout", message))
        else:  # nobody has asked anything
            self.transport.close()

    def _refuse(self, error: ApiError) -> None:
        """Answer and close; an answer that is under way is not spoiled: the connection ends with it."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and self._expecting_head:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not answering or not (self.pipeline or self.cycle.response_started):
            self.transport.write(_response(error))
        self.transport.close()


def connection_class(settings: Settings) -> type[Connection]:
    """Return the connections of a worker with these settings.

    Nobody gets more time to ask than the worker has to speak, nor more room than a text and its escapes can take.
    """

    class BoundedConnection(Connection):
        max_head_bytes = longest_request(settings.max_text_length)
        head_seconds = settings.request_timeout_seconds

    return BoundedConnection


def _response(error: ApiError) -> bytes:
    body = json.dumps(error.body()).encode()
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
