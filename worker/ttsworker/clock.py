"""The clock that the parts get from outside, so that tests can move it. Threads that time an engine read their own."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Prevent the call."""
        ...


class Clock(Protocol):
    """The source of time for the parts in the event loop, in seconds."""

    def monotonic(self) -> float:
        """Return the seconds since a fixed moment; they never go back."""
        ...

    def utc_now(self) -> datetime:
        """Return the date and the time of day."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the block and raise TimeoutError when it takes longer."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call a function from the event loop after so many seconds, unless the timer is cancelled before."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Return time.monotonic."""
        return time.monotonic()

    def utc_now(self) -> datetime:
        """Return the date and the time of day."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Return asyncio's timeout."""
        return asyncio.timeout(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Return the event loop's timer."""
        return asyncio.get_running_loop().call_later(seconds, callback)
