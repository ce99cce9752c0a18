"""Requests byte by byte, for what an HTTP client would not send."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import Served, serving

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


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(served: Served) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def post(text: str, **more: object) -> bytes:
    body = json.dumps({"input": text, "response_format": "pcm", **more}).encode()
    return b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer; returns its status and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split()[1])
    if b"transfer-encoding: chunked" not in head:
        return status, await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return status, body


def pcm(body: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.frombuffer(body, "<i2")


@asynccontextmanager
async def timed(clock: ManualClock) -> AsyncIterator[Served]:
    """Serve with a request timeout on this clock; it never brings the time for a health check."""
    async with serving(
        ArtificialEngine(), clock=clock, request_timeout_seconds=TIMEOUT, health_interval_seconds=3600
    ) as served:
        yield served
