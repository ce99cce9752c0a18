"""The end of connections whose client does not take it: the transport alone would wait for ever."""

import asyncio
import fcntl
import sys
import termios
import time
from collections.abc import Collection
from typing import Protocol

SWEEP_SECONDS = 0.5
CLOSE_CHECK_SECONDS = 0.1


class Connected(Protocol):
    """One of uvicorn's connections."""

    transport: asyncio.Transport


async def abort_the_unread(connections: Collection[Connected], patience: float) -> None:
    """Abort, for as long as this runs, every connection that takes more than `patience` seconds to close.

    Its client reads a byte now and then, or nothing; it has had as long as for any other piece of its answer.
    """
    closing: dict[Connected, float] = {}
    while True:
        now = time.monotonic()
        closing = {each: closing.get(each, now) for each in list(connections) if each.transport.is_closing()}
        for each, since in closing.items():
            if now - since > patience:
                each.transport.abort()
        await asyncio.sleep(SWEEP_SECONDS)


async def part_from_silent_clients(connections: Collection[Connected], *, after: float) -> None:
    """Close what only waits for a TLS client to confirm the end, which idle clients never do, and TLS for 30 s.

    A client that still has something to take keeps its connection.
    """
    await asyncio.sleep(after)
    while True:
        for connection in list(connections):
            transport = connection.transport
            if transport.is_closing() and not _unsent_bytes(transport):
                transport.abort()
        await asyncio.sleep(CLOSE_CHECK_SECONDS)


def _unsent_bytes(transport: asyncio.Transport) -> int:
    """Return what the kernel still holds for the client; while the transport holds more, that is never 0."""
    answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
