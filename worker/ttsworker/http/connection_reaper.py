"""Aborts closing connections whose client does not let them close: the transport alone would wait for ever."""

import asyncio
import fcntl
import sys
import termios
from collections.abc import Collection
from typing import Protocol

from ttsworker.clock import Clock

SWEEP_SECONDS = 0.5
CLOSE_CHECK_SECONDS = 0.1


class Connected(Protocol):
    """One of uvicorn's connections."""

    transport: asyncio.Transport


async def abort_slow_closes(connections: Collection[Connected], *, after: float, clock: Clock) -> None:
    """Abort every connection that takes more than `after` seconds to close; runs until it is cancelled.

    Its client reads too slowly, or not at all. It had as much time as for any other piece of its answer.
    """
    closing: dict[Connected, float] = {}
    while True:
        now = clock.monotonic()
        closing = {each: closing.get(each, now) for each in list(connections) if each.transport.is_closing()}
        for each, since in closing.items():
            if now - since > after:
                each.transport.abort()
        await clock.sleep(SWEEP_SECONDS)


async def abort_unconfirmed_closes(connections: Collection[Connected], *, after: float, clock: Clock) -> None:
    """After some seconds, abort every closing connection that has sent everything; runs until it is cancelled.

    Such a connection only waits for its TLS client to confirm the close. Idle clients never do, and TLS would wait
    30 s for them. A client that still has something to read keeps its connection.
    """
    await clock.sleep(after)
    while True:
        for connection in list(connections):
            transport = connection.transport
            if transport.is_closing() and not _unsent_bytes(transport):
                transport.abort()
        await clock.sleep(CLOSE_CHECK_SECONDS)


def _unsent_bytes(transport: asyncio.Transport) -> int:
    """Return the bytes that the kernel still holds for the client: never 0 while the transport holds more."""
    answer = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, sys.byteorder)
