"""Requests byte by byte, for what an HTTP client would not send."""

import asyncio
import json

from tests.support.worker.serving import Served

TIMEOUT = 300.0
"""Of a request, in the seconds of a ManualClock."""


async def raw(served: Served, request: bytes) -> tuple[bytes, bytes]:
    """Send these bytes, read until the server closes the connection; returns the answer's head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def status_and_code(answer: tuple[bytes, bytes]) -> tuple[int, str]:
    assert b"connection: close" in answer[0].lower()
    return int(answer[0].split()[1]), json.loads(answer[1])["error"]["code"]
