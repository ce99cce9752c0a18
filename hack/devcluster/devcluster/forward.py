"""A TCP forwarder from a port of the machine to the API server inside the cluster's network namespace.

It runs inside the namespace, with a listening socket from outside. A socket stays in the namespace where it was
created, so no link, route or firewall rule connects the two.
"""

import asyncio
import contextlib
import socket

_CHUNK = 64 * 1024


def serve(listener: socket.socket, port: int) -> None:
    """Forward every connection to 127.0.0.1:port until the process ends."""
    asyncio.run(_serve(listener, port))


async def _serve(listener: socket.socket, port: int) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _connect(reader, writer, port)

    server = await asyncio.start_server(accept, sock=listener)
    async with server:
        await server.serve_forever()


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    with contextlib.closing(writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return  # the API server is down: the client sees a closed connection
        with contextlib.closing(inner_writer):
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy one direction, and forward its end while the other direction continues."""
    with contextlib.suppress(ConnectionError):  # either side may close the connection at any time
        while chunk := await source.read(_CHUNK):
            target.write(chunk)
            await target.drain()
        target.write_eof()
