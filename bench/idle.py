"""Measures the cost of clients that request a long text and stop reading after the start of the response."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from bench.asking import Refused
from bench.memory import cpu_seconds, memory
from bench.servers import Server

RECEIVE_BUFFER_BYTES = 16_384
"""Receive buffer of a client's socket; with a larger one the kernel would hold audio that the server must buffer."""

LIMIT_SECONDS = 300.0

STILL = 0.05
"""CPU seconds per second below which a server counts as idle."""


async def bytes_per_client(server: Server, texts: Sequence[str]) -> float:
    """Return the growth of the idle server's PSS in bytes, by client; each text has one client."""
    loop = asyncio.get_running_loop()
    before = memory(server.pid).pss
    clients: list[socket.socket] = []
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            for text in texts:
                client = socket.socket()
                clients.append(client)
                client.setblocking(False)  # noqa: FBT003 - the socket's own signature
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                address = urlsplit(server.url)
                await loop.sock_connect(client, (address.hostname, address.port))
                await loop.sock_sendall(client, _request(server, text))
            await asyncio.gather(*map(_read_header, clients))
            await _settled(server.pid)
        return (memory(server.pid).pss - before) / len(clients)
    finally:
        for client in clients:
            client.close()


def _request(server: Server, text: str) -> bytes:
    asked = server.ask(text)
    body = json.dumps(asked["json"]).encode()
    head = f"{asked['method']} {asked['url']} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + body


async def _read_header(client: socket.socket) -> None:
    """Read to the end of the HTTP header and little more; raises Refused for any status except 200."""
    loop = asyncio.get_running_loop()
    received = b""
    while b"\r\n\r\n" not in received:
        received += (more := await loop.sock_recv(client, 256))
        if not more or not received.startswith(b"HTTP/1.1 200"[: len(received)]):
            raise Refused(received.decode(errors="replace"))


async def _settled(pid: int) -> None:
    """Wait until the server is idle for a second."""
    while True:
        used, at = cpu_seconds(pid), time.perf_counter()
        await asyncio.sleep(1.0)
        if (cpu_seconds(pid) - used) / (time.perf_counter() - at) < STILL:
            return
