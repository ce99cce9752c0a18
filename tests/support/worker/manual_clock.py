"""A clock that only the test moves: a machine that stands still makes nothing late."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

START = datetime(2030, 1, 1, tzinfo=UTC)


class ManualSeconds:
    """Seconds that the test sets, for what takes a function as its clock."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class ManualTimer:
    """A ttsworker.clock.Timer."""

    def __init__(self, due: float, callback: Callable[[], object]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """A ttsworker.clock.Clock. Threads, sockets and `until` keep real time beside it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: dict[asyncio.Future[None], tuple[float, float]] = {}
        """When each sleep ends, and how long it is."""
        self._calls: list[ManualTimer] = []

    def monotonic(self) -> float:
        return self._now

    def utc_now(self) -> datetime:
        return START + timedelta(seconds=self._now)

    async def sleep(self, seconds: float) -> None:
        timer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timers[timer] = (self._now + seconds, seconds)
        try:
            await timer
        finally:
            self._timers.pop(timer, None)

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeouts.timeout(None) as real:
            expiring = asyncio.create_task(self._expire(real, seconds))
            try:
                yield
            finally:
                expiring.cancel()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> ManualTimer:
        self._calls.append(ManualTimer(self._now + seconds, callback))
        return self._calls[-1]

    def call_due_in(self, seconds: float) -> bool:
        """Whether a call is to come in just so many seconds."""
        return any(call.due == self._now + seconds and not call.cancelled for call in self._calls)

    def due_in(self, seconds: float) -> bool:
        """Whether somebody sleeps, or waits for a timeout, that ends in just so many seconds."""
        return any(due == self._now + seconds for due, _ in self._timers.values())

    def is_asked_for(self, seconds: float) -> bool:
        """Whether somebody sleeps, or waits for a timeout, that was to take just so many seconds."""
        return any(length == seconds for _, length in self._timers.values())

    def advance(self, seconds: float) -> None:
        """Move the time on; whoever waited for less goes on as soon as the event loop gets to it."""
        self._now += seconds
        for timer, (due, _) in list(self._timers.items()):
            if due <= self._now and not timer.done():
                timer.set_result(None)
        due_calls = [call for call in self._calls if call.due <= self._now]
        self._calls = [call for call in self._calls if call.due > self._now]
        for call in due_calls:
            asyncio.get_running_loop().call_soon(self._call, call)

    def _call(self, call: ManualTimer) -> None:
        if not call.cancelled:
            call.callback()

    async def _expire(self, real: asyncio.Timeout, seconds: float) -> None:
        await self.sleep(seconds)
        real.reschedule(0)  # the event loop's time is past that
