"""Time-outs that blame the right one.

A worker that speaks uses all the CPU it may; where that is limited, the kernel stops the whole process for tens of
milliseconds, again and again. A timer of 50 ms then ends while the answer lies in the socket, unread: the time passed
while nothing of ours ran. So time is taken in steps, and a step counts for its length however long it really took.
"""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any, TypeVar

T = TypeVar("T")

STEPS = 5
"""So many halts in a row are needed to end a wait wrongly."""


async def wait_for_all(futures: Collection["asyncio.Future[Any]"], seconds: float) -> bool:
    """Wait until all are done, at most for so many seconds in which the event loop ran; false if they are not."""
    for _ in range(STEPS):
        _, pending = await asyncio.wait(futures, timeout=seconds / STEPS)
        if not pending:
            return True
    return False


async def limited(awaitable: Awaitable[T], seconds: float) -> T:
    """Return what it gives; raises TimeoutError, and cancels it, when that takes longer than `seconds` as above."""
    task = asyncio.ensure_future(awaitable)
    try:
        if await wait_for_all([task], seconds):
            return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
