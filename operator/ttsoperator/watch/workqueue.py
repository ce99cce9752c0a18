"""A work queue of keys: coalescing, with delays and back-off, and never two concurrent passes of one key.

The rules are those of client-go's workqueue, and one more limits the rate of each key: however often it is added, it
gets a burst of passes and then one every `REFILL_SECONDS`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)

SPACING_SECONDS = 0.2  # joins the events that follow a pass's own writes into one more pass instead of seven
BURST_PASSES = 30.0
REFILL_SECONDS = 1.0
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 300.0
PASS_SECONDS = 120.0  # longer than a request's timeout and its retries: a longer pass hangs


class Retry(Exception):
    """Raised by a pass to retry the key with back-off, without a traceback in the log."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


@dataclass(slots=True)
class _Entry:
    """The queue's state of one key; removed once the key is idle and healthy."""

    due: float | None = None
    running: bool = False
    failures: int = 0
    tokens: float = BURST_PASSES
    ended: float = float("-inf")


class WorkQueue(Generic[Key]):
    """Keys that wait for a pass.

    `add` is cheap, and any coroutine of the loop may call it; `run` calls `handle` with the keys until cancelled. Keys
    survive the end of `run`, so a replica that becomes leader again continues where it stopped.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._entries: dict[Key, _Entry] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._sequence = itertools.count()
        self._wake = asyncio.Event()
        self._progress = float("-inf")

    def add(self, key: Key, after: float = 0.0) -> None:
        """Request a pass of `key` in `after` seconds; the earlier of two requests wins."""
        entry = self._entries.setdefault(key, _Entry())
        due = self._clock() + after
        if not entry.running:
            due = max(due, entry.ended + self._spacing(entry))
        if entry.due is None or due < entry.due:
            entry.due = due
            heapq.heappush(self._heap, (due, next(self._sequence), key))
            self._wake.set()

    def depth(self) -> int:
        """Number of keys that are due and wait for a free worker (not delayed keys, nor running ones)."""
        now = self._clock()
        return sum(1 for e in self._entries.values() if e.due is not None and e.due <= now and not e.running)

    def stuck_seconds(self) -> float:
        """Seconds for which a key has been due while no pass ended; 0 if none is stuck."""
        waiting = [e.due for e in self._entries.values() if e.due is not None and not e.running]
        return max(0.0, self._clock() - max(min(waiting), self._progress)) if waiting else 0.0

    def idle_seconds(self) -> float | None:
        """Seconds since the last pass ended, None before the first one."""
        return None if self._progress == float("-inf") else self._clock() - self._progress

    async def run(self, handle: Callable[[Key], Awaitable[float | None]], workers: int) -> None:
        """Call `handle(key)` for due keys, `workers` at once, until cancelled.

        `handle` returns the seconds until the key's next pass, or None. If it raises `Retry` or any other exception,
        the queue retries the key with exponential back-off; it logs an unexpected error with its traceback.
        """
        self._progress = max(self._progress, self._clock())
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(handle))

    async def _work(self, handle: Callable[[Key], Awaitable[float | None]]) -> None:
        while True:
            key, entry = await self._next()
            entry.running, entry.due = True, None
            try:
                async with asyncio.timeout(PASS_SECONDS):
                    again = await handle(key)
                entry.failures = 0
            except asyncio.CancelledError:
                entry.running = False
                self.add(key)
                raise
            except Retry as retry:
                again = self._back_off(entry, at_least=retry.after)
            except Exception:  # one object must not stop the others; the error is logged, counted and retried
                again = self._back_off(entry)
                log.exception("%s: the pass failed, next attempt in %.0f s", key, again)
            self._end(key, entry, again)

    def _end(self, key: Key, entry: _Entry, again: float | None) -> None:
        now = self._progress = self._clock()
        entry.tokens = min(BURST_PASSES, entry.tokens + (now - max(entry.ended, 0.0)) / REFILL_SECONDS) - 1.0
        entry.running, entry.ended = False, now
        woken, entry.due = entry.due is not None, None
        if woken:
            self.add(key)
        if again is not None:
            self.add(key, again)
        if len(self._entries) > 2 * len(self._heap) + 1000:
            self._forget_idle()

    def _forget_idle(self) -> None:
        horizon = self._clock() - BURST_PASSES * REFILL_SECONDS
        for key in [k for k, e in self._entries.items() if e.due is None and not e.running and e.ended < horizon]:
            del self._entries[key]

    @staticmethod
    def _spacing(entry: _Entry) -> float:
        return SPACING_SECONDS if entry.tokens >= 1.0 else REFILL_SECONDS

    @staticmethod
    def _back_off(entry: _Entry, at_least: float = 0.0) -> float:
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(entry.failures, 20))
        entry.failures += 1
        return max(at_least, delay * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, not for security

    async def _next(self) -> tuple[Key, _Entry]:
        while True:
            delay: float | None = None
            while self._heap:
                due, _, key = self._heap[0]
                entry = self._entries.get(key)
                if entry is None or entry.due != due or entry.running:
                    heapq.heappop(self._heap)  # superseded; a running key is queued again when its pass ends
                    continue
                if (delay := due - self._clock()) > 0:
                    break
                heapq.heappop(self._heap)
                return key, entry
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wake.wait()
