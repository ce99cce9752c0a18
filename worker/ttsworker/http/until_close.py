"""Answers to HTTP/1.0, which nginx speaks to servers by default: it has no chunks, but uvicorn would send them."""

import socket
import struct
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

_RESET = struct.pack("ii", 1, 0)
_FLUSH = struct.pack("ii", 0, 0)
"""Values of SO_LINGER: what closing does to bytes that are not sent yet."""


class SendUntilClose:
    """Takes the place of a cycle's `send`: a body of unknown length ends with the connection.

    A body that breaks off ends with a reset, so that the client does not take it for complete.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._send = cycle.send
        self._endless = False

    async def __call__(self, message: "ASGISendEvent") -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message.get("headers", [])}
            self._endless = b"content-length" not in names
            if self._endless:
                self._cycle.chunked_encoding = False
                self._set_linger(_RESET)
        elif message["type"] == "http.response.body" and self._endless:
            self._cycle.expected_content_length = len(message.get("body", b""))  # uvicorn compares both
            if not message.get("more_body"):
                self._set_linger(_FLUSH)
        await self._send(message)

    def _set_linger(self, value: bytes) -> None:
        if not self._cycle.transport.is_closing():
            connection = self._cycle.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)
