"""Batched get: one MGET runs at a time, and the next one gets the keys that requests ask for meanwhile.

So a server that stops answering gets one command, however many requests wait, and a burst opens no connections.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from ttsworker.redis.client import RedisClient, RedisUnavailable, get_values
from ttsworker.redis.timeouts import wait_for_all

GET_SECONDS = 0.05
"""Timeout of a get, including the wait for the MGET before it and a new connection. A healthy Redis in the same network
answers within 1 or 2 ms. Synthesizing a sentence takes at least about 50 ms, so a longer wait would not pay."""

KEYS_AT_ONCE = 16
"""Keys in one MGET. A network of 1 Gbit/s carries so many typical sentences (80 kB each) in about 10 ms."""

Waiting = tuple[str, "asyncio.Future[bytes | None]"]


class BatchedGet:
    """Gets the values of keys, within `seconds` for each request."""

    def __init__(self, redis: RedisClient, *, seconds: float) -> None:
        self._redis = redis
        self._seconds = seconds
        self._waiting: deque[Waiting] = deque()  # bounded by the sentences of the waiting requests
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, None for a key without a value, or if the answer came too late."""
        if not keys or not self._redis.is_up:
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
        """Stop; requests that wait get None."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while batch := self._next_batch():
            for (_, future), value in zip(batch, await self._fetch([key for key, _ in batch]), strict=True):
                if not future.done():
                    future.set_result(value)

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        while self._waiting and len(batch) < KEYS_AT_ONCE:
            waiting = self._waiting.popleft()
            if not waiting[1].done():  # its request may have ended
                batch.append(waiting)
        return batch

    async def _fetch(self, keys: list[str]) -> list[bytes | None]:
        try:
            return await self._redis.ask(lambda redis: get_values(redis, keys), within=self._seconds)
        except RedisUnavailable as error:
            self._redis.give_up(error)  # also when Redis refuses: an unreadable cache is useless
            return [None] * len(keys)
