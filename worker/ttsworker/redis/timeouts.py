"""Timeouts that count only the time in which this process could run.

A busy worker uses all the CPU that it may. Where the container has a CPU limit, the kernel then stops the whole process
for tens of milliseconds, again and again. A timer of 50 ms can end in such a pause although the answer is already in
the socket, unread. So a timeout is taken in steps, and each step counts for its length however long it really took.
"""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any, TypeVar

T = TypeVar("T")

STEPS = 5
"""A timeout ends wrongly only after this many pauses in a row."""


async def wait_for_all(futures: Collection["asyncio.Future[Any]"], seconds: float) -> bool:
    """Wait until all are done, for at most `seconds` in which the event loop ran; return whether they are."""
    for _ in range(STEPS):
        _, pending = await asyncio.wait(futures, timeout=seconds / STEPS)
        if not pending:
            return True
    return False


async def limited(awaitable: Awaitable[T], seconds: float) -> T:
    """Return its result; cancel it and raise TimeoutError after `seconds`, counted as above."""
    task = asyncio.ensure_future(awaitable)
    try:
        if await wait_for_all([task], seconds):
            return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # or asyncio logs it as never retrieved, when the caller was cancelled at that moment
