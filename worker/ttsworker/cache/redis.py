"""The audio cache in a Redis or Valkey, shared by all workers. The package's docstring says what a failed one costs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from redis import exceptions
from redis.asyncio import Redis

from ttsworker.audio import Pcm
from ttsworker.cache.batched_get import GET_SECONDS, BatchedGet
from ttsworker.cache.codec import decode, encode
from ttsworker.cache.interface import CacheUnavailable, Observer
from ttsworker.cache.keys import audio_prefix
from ttsworker.cache.write_behind import WriteBehind
from ttsworker.clock import Clock
from ttsworker.redis.client import RedisClient, RedisUnavailable

INLINE_BYTES = 32 * 2**10
"""Bytes of values to decode in the event loop: about 3 s of speech, which decode in 1.5 ms. A thread would cost as much
as it saves."""

STEP_SECONDS = 1.0
"""Timeout of each command of a clear."""

CLEAR_SECONDS = 30.0
"""Timeout of a whole clear: enough for some millions of keys, and a limit for a server whose scan never ends."""

SCAN_COUNT = 1000
"""Keys that Redis scans in one step, which takes about 1 ms and blocks Redis."""


class RedisCache:
    """An AudioCache in Redis."""

    def __init__(
        self,
        redis: RedisClient,
        *,
        ttl_seconds: int,
        observer: Observer,
        clock: Clock,
        get_seconds: float = GET_SECONDS,
    ) -> None:
        """Needs the running event loop. The creator of the client must close it, after this cache.

        The clock is for the timeout of a whole clear; `redis.timeouts` says what those of the commands count.
        """
        self._clock = clock
        self._observer = observer
        self._redis = redis
        self._gets = BatchedGet(redis, seconds=get_seconds)
        self._puts = WriteBehind(redis, encode, observer, ttl_seconds=ttl_seconds)
        self._clearing = asyncio.Lock()

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None for a miss or an answer after more than GET_SECONDS."""
        values = await self._gets.get(keys)
        if sum(len(value) for value in values if value) > INLINE_BYTES:
            found = await asyncio.to_thread(self._decode, keys, values)
        else:
            found = self._decode(keys, values)
        hits = 0
        for value, pcm in zip(values, found, strict=True):
            hits += pcm is not None
            if pcm is None and value is not None:
                self._observer.cache_failed("corrupt")
        self._observer.cache_looked_up(hits=hits, misses=len(keys) - hits)
        return found

    def put(self, key: str, pcm: Pcm) -> None:
        """Write in the background, if Redis accepts puts at present."""
        self._puts.put(key, pcm)

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete the audio of these keys; return how many existed."""
        selected = set(keys)
        async with self._clear(lambda name: name in selected):
            return await self._unlink(list(keys))

    async def clear_model(self, digest: str, owner: str = "") -> int:
        """See AudioCache."""
        prefix = audio_prefix(digest, owner)
        async with self._clear(lambda name: name.startswith(prefix)):
            return await self._unlink_model(prefix)

    async def close(self) -> None:
        """Stop the tasks; drop unwritten audio."""
        await self._gets.close()
        await self._puts.close()

    @asynccontextmanager
    async def _clear(self, is_selected: Callable[[str], bool]) -> AsyncIterator[None]:
        """Limit a clear to the timeout, run one at a time, and drop queued puts that would restore cleared audio."""
        try:
            async with self._clock.timeout(CLEAR_SECONDS), self._clearing:
                await self._puts.forget(is_selected)
                yield
        except TimeoutError:
            raise CacheUnavailable("timeout") from None
        except RedisUnavailable as error:
            raise CacheUnavailable(error.reason) from None

    async def _unlink_model(self, prefix: str) -> int:
        cursor, deleted = 0, 0
        while True:
            cursor, keys = await self._redis.ask(partial(_scan, cursor=cursor, prefix=prefix), within=STEP_SECONDS)
            if keys:
                deleted += await self._unlink(keys)
            if not cursor:
                return deleted

    async def _unlink(self, keys: list[str]) -> int:
        return await self._redis.ask(partial(_unlink, keys=keys), within=STEP_SECONDS)

    def _decode(self, keys: Sequence[str], values: Sequence[bytes | None]) -> list[Pcm | None]:
        return [None if value is None else decode(key, value) for key, value in zip(keys, values, strict=True)]


async def _scan(redis: Redis, *, cursor: int, prefix: str) -> tuple[int, list[str]]:
    """Return the next cursor, 0 at the end, and some keys; drops keys without the prefix, should Redis return any."""
    answer = await redis.scan(cursor, match=f"{prefix}*", count=SCAN_COUNT)
    names = [name.decode("ascii", "replace") for name in answer[1] if isinstance(name, bytes)]
    return int(answer[0]), [name for name in names if name.startswith(prefix)]


async def _unlink(redis: Redis, *, keys: list[str]) -> int:
    deleted = await redis.unlink(*keys)
    if not isinstance(deleted, int):
        raise exceptions.InvalidResponse
    return deleted
