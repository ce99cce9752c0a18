"""A client's connection: uvicorn's, plus bounds on the size and the time of a request's head, and on unread answers.

The routes bound the body, as only they know what they read.
"""

import asyncio
import json
from collections import deque
from http import HTTPStatus
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ttsworker.clock import Clock, Timer
from ttsworker.http.connection_limit import ConnectionLimit
from ttsworker.http.errors import ApiError
from ttsworker.http.until_close import SendUntilClose

_OFFER = {b"connection", b"upgrade", b"http2-settings"}
"""Headers by which a client offers another protocol."""

MAX_HEADERS = 100
"""Headers of a request: every look-up of one reads all of them."""

MAX_PATH_BYTES = 2048
"""Of the address before its query, which the routes and the log read whole."""

MAX_AHEAD = 16
"""Requests that a client may send before the one that is being answered has its answer: uvicorn keeps all it has read,
each of some 20 bytes in several kilobytes of memory."""


class Connection(HttpToolsProtocol):
    """One connection. It expects a head at its start and between two requests; a head has `head_seconds` to arrive.

    `max_head_bytes` bounds the memory, not the exact size: one read, of up to 256 KiB, is always taken whole.
    """

    max_head_bytes: ClassVar[int]
    head_seconds: ClassVar[float]
    clock: ClassVar[Clock]
    limit: ClassVar[ConnectionLimit]

    opening: asyncio.Task[None]
    """Ends when the connection is open."""

    _expecting_head = True
    _head_bytes = 0
    _heads = 0
    _timer: Timer | None = None
    _stalled: Timer | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Start the timer: the first byte must arrive in time, too."""
        super().connection_made(transport)
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer, and tell the request that is being answered; uvicorn tells the last one that was read."""
        self.limit.remove(self)
        self._stop_timer()
        super().connection_lost(exc)  # resumes writing
        for cycle in self._unanswered:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def evict(self) -> None:
        """Close at once, to make room for another connection."""
        if self.opening.done():
            self.transport.abort()
        else:
            self.opening.cancel()

    def pause_writing(self) -> None:
        """Start a timer: speech has one for each piece of audio, but other answers would wait for ever to be read."""
        super().pause_writing()
        self._stalled = self._stalled or self.clock.call_later(2 * self.head_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the timer."""
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

    def on_response_complete(self) -> None:
        """Wait for the client again, unless its next request is there already."""
        super().on_response_complete()
        if not self.pipeline and (self.cycle.response_complete or self.cycle.more_body):
            self.limit.set_idle(self)

    def data_received(self, data: bytes) -> None:
        """Parse some bytes, and count them when all of them belong to a head that is not complete yet."""
        if self.transport.is_closing():  # refused already; TLS still delivers what it had read
            return
        expecting, heads = self._expecting_head, self._heads
        self._unset_keepalive_if_required()
        self._parse(data)
        if expecting and heads == self._heads and not self.transport.is_closing():
            self._head_bytes += len(data)
            self._start_timer()
            if self._head_bytes > self.max_head_bytes:
                message = f"address and headers have more than {self.max_head_bytes} bytes: send a long text by POST"
                self._refuse(ApiError(431, "headers_too_large", message))

    def on_message_begin(self) -> None:
        """Start the timer for the rest of a head, even while an earlier request is being answered."""
        super().on_message_begin()
        self._head_bytes += 1
        self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; raises ApiError 431, which ends the parser, for more than `MAX_HEADERS`."""
        if len(self.headers) >= MAX_HEADERS:
            raise ApiError(431, "headers_too_large", f"there are more than {MAX_HEADERS} headers: send fewer")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, unless it offers another protocol: `_decline` then parses it again without the offer.

        Raises ApiError, which ends the parser: the connection closes once the requests before have their answers.
        """
        if self.parser.should_upgrade():
            return
        if len(self.pipeline) >= MAX_AHEAD:
            raise ApiError(400, "invalid_http", f"more than {MAX_AHEAD} requests wait for their answers: send fewer")
        if len(self.url.partition(b"?")[0]) > MAX_PATH_BYTES:
            raise ApiError(414, "path_too_long", f"the path has more than {MAX_PATH_BYTES} bytes: send text by POST")
        self._stop_timer()
        super().on_headers_complete()
        self._expecting_head = False
        self._heads += 1
        self._note_cycle()

    def _note_cycle(self) -> None:
        while self._unanswered and self._unanswered[0].response_complete:
            self._unanswered.popleft()
        self._unanswered.append(self.cycle)
        if self.cycle.scope["http_version"] == "1.0":
            self.cycle.send = SendUntilClose(self.cycle)  # type: ignore[method-assign]
            self.cycle.waiting_for_100_continue = False  # an answer that HTTP/1.0 does not know

    def on_message_complete(self) -> None:
        """End the request's body; the next bytes belong to another head."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        if self.pipeline:  # who asks ahead could keep the connection busy for ever
            self.limit.set_idle(self)
        elif not self.cycle.response_complete:
            self.limit.set_busy(self)
        self._expecting_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are not HTTP, in the shape of every other error."""
        self._refuse(ApiError(400, "invalid_http", f"{msg.rstrip('.')}: is the client speaking HTTP/1.1?"))

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, ApiError):  # of one of the callbacks
                self._refuse(error.__context__)
                return
            self.send_400_response("Invalid HTTP request received.")

    def _decline(self, rest: bytes) -> None:
        """Parse the request again without its offer of another protocol, which Java's client sends first.

        httptools stops parsing at such an offer, and uvicorn would go on without the body.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(
                ApiError(405, "method_not_allowed", "this server is not a proxy: send the request to its own host")
            )
            return
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self.headers)
        kept = [header for header in self.headers if header[0] not in _OFFER]
        kept += [(b"connection", b"close")] if closes else []
        version = self.parser.get_http_version().encode()
        lines = [method + b" " + self.url + b" HTTP/" + version, *(name + b": " + value for name, value in kept)]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._parse(b"\r\n".join([*lines, b"", rest]))

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.clock.call_later(self.head_seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        if self._head_bytes:
            message = f"the headers did not arrive within {self.head_seconds:g} s: send them faster"
            self._refuse(ApiError(408, "headers_timeout", message))
        else:  # the client has not sent anything
            self.transport.close()

    def _refuse(self, error: ApiError) -> None:
        """Answer with an error and close; while another answer is being sent, close after that one instead."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and self._expecting_head:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if not answering or not (self.pipeline or self.cycle.response_started):
            self.transport.write(_response(error))
        self.transport.close()


def connection_class(
    limit: ConnectionLimit, *, max_head_bytes: int, head_seconds: float, clock: Clock
) -> type[Connection]:
    """Return the class of the connections of one port."""
    bounds = {"max_head_bytes": max_head_bytes, "head_seconds": head_seconds, "clock": clock, "limit": limit}
    return type("BoundedConnection", (Connection,), bounds)


def _response(error: ApiError) -> bytes:
    body = json.dumps(error.body()).encode()
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
