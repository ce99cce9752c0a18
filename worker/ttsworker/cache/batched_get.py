"""Gets of many requests over one connection: one MGET at a time, and what comes meanwhile goes into the next one.

So a server that falls silent is asked once, however many requests there are, and a burst opens no burst of connections.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from ttsworker.cache.client import Link, get_values
from ttsworker.cache.interface import CacheUnavailable
from ttsworker.cache.timeouts import wait_for_all

GET_SECONDS = 0.05
"""For a get in total, waiting for its turn and a new connection included. Redis answers within a network in 1 or 2 ms,
so this is not reached by chance; and it is about what speaking a sentence takes at least: more would not pay."""

KEYS_AT_ONCE = 16
"""Of one MGET: of typical sentences (80 kB each) as much as a network of 1 Gbit/s brings in a fifth of the time."""

Waiting = tuple[str, "asyncio.Future[bytes | None]"]


class Reader:
    """Looks keys up, each get in `seconds` at the most."""

    def __init__(self, link: Link, *, seconds: float) -> None:
        self._link = link
        self._seconds = seconds
        self._waiting: deque[Waiting] = deque()  # as long as the requests that wait have sentences
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, None where there is none or it did not come in time."""
        if not keys or not self._link.is_up:
            return [None] * len(keys)
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[bytes | None]] = [loop.create_future() for _ in keys]
        self._waiting.extend(zip(keys, futures, strict=True))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            await wait_for_all(futures, self._seconds)
            return [future.result() if future.done() else None for future in futures]
        finally:
            for future in futures:
                future.cancel()

    async def close(self) -> None:
        """Stop looking up; whoever waits gets nothing."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while flight := self._next_flight():
            for (_, future), value in zip(flight, await self._fetch([key for key, _ in flight]), strict=True):
                if not future.done():
                    future.set_result(value)

    def _next_flight(self) -> list[Waiting]:
        flight: list[Waiting] = []
        while self._waiting and len(flight) < KEYS_AT_ONCE:
            waiting = self._waiting.popleft()
            if not waiting[1].done():  # its request may have gone
                flight.append(waiting)
        return flight

    async def _fetch(self, keys: list[str]) -> list[bytes | None]:
        try:
            return await self._link.ask(lambda redis: get_values(redis, keys), within=self._seconds)
        except CacheUnavailable as error:
            self._link.give_up(error.reason)
            return [None] * len(keys)
