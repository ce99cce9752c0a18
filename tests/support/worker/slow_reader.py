"""Clients that ask for speech on a socket, and read only what the test reads."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.support.worker.asking import SPEECH, body_of
from tests.support.worker.serving import Served


@asynccontextmanager
async def reading(
    served: Served, text: str, headers: Mapping[str, str] | None = None, **more: object
) -> AsyncIterator[tuple[asyncio.StreamReader, bytes]]:
    """Ask, and read the head of the answer and little more; closes the connection at the end of the block."""
    body = json.dumps(body_of(text, **more)).encode()
    head = {"Host": "x", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"POST {SPEECH} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel reads megabytes for the client
    small.settimeout(0)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", served.port))
    reader, writer = await asyncio.open_connection(sock=small)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        yield reader, await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
