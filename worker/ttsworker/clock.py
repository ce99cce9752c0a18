"""Where the parts get the time from, so that tests move it by hand. A thread that measures an engine reads its own."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time of the event loop's parts, in seconds."""

    def monotonic(self) -> float:
        """Return the seconds since some moment; they never go back."""
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
