"""The cache in a Redis or Valkey, shared by all workers. What one that is dead costs is said in the package's head."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from pydantic import SecretStr
from redis import exceptions
from redis.asyncio import Redis

from ttsworker.audio import Pcm
from ttsworker.cache.batched_get import GET_SECONDS, Reader
from ttsworker.cache.breaker import BackOff
from ttsworker.cache.client import BACK_OFF, Link
from ttsworker.cache.codec import decode, encode
from ttsworker.cache.interface import CacheUnavailable, Observer
from ttsworker.cache.keys import model_prefix
from ttsworker.cache.write_behind import Writer

INLINE_BYTES = 32 * 2**10
"""Of values, about 3 s of speech: read back in 1.5 ms. A thread for less costs as much as it spares."""

STEP_SECONDS = 1.0
"""For each command of a clear."""

CLEAR_SECONDS = 30.0
"""For a whole clear: some millions of keys, and a bound for a server that never comes to an end."""

SCAN_COUNT = 1000
"""Keys that Redis looks at in one step, about 1 ms in which it does nothing else."""


class RedisCache:
    """An AudioCache in Redis."""

    def __init__(
        self,
        url: SecretStr,
        *,
        ttl_seconds: int,
        observer: Observer,
        get_seconds: float = GET_SECONDS,
        back_off: BackOff = BACK_OFF,
    ) -> None:
        """Begin to connect, in the running event loop; raises InvalidRedisUrl."""
        self._observer = observer
        self._link = Link(url, observer, answer_seconds=get_seconds, back_off=back_off)
        self._reader = Reader(self._link, seconds=get_seconds)
        self._writer = Writer(
            self._link,
            encode,
            observer,
            ttl_seconds=ttl_seconds,
            back_off=back_off,
        )
        self._clearing = asyncio.Lock()

    @property
    def is_up(self) -> bool:
        """Whether Redis is asked at present."""
        return self._link.is_up

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None where there is none or it did not come in GET_SECONDS."""
        values = await self._reader.get(keys)
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
        """Write in the background, if Redis takes anything at present."""
        self._writer.put(key, pcm)

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete what is kept under these keys; returns how much that was."""
        doomed = set(keys)
        async with self._clear(lambda name: name in doomed):
            return await self._unlink(list(keys))

    async def clear_model(self, digest: str) -> int:
        """Delete what is kept of the model with this digest; returns how much that was."""
        prefix = model_prefix(digest)
        async with self._clear(lambda name: name.startswith(prefix)):
            return await self._unlink_model(prefix)

    async def close(self) -> None:
        """End the connections and tasks; what has not been written yet is dropped."""
        await self._reader.close()
        await self._writer.close()
        await self._link.close()

    @asynccontextmanager
    async def _clear(self, is_doomed: Callable[[str], bool]) -> AsyncIterator[None]:
        """One clear at a time, in bounded time, of which nothing is written afterwards."""
        try:
            async with asyncio.timeout(CLEAR_SECONDS), self._clearing:
                await self._writer.forget(is_doomed)
                yield
        except TimeoutError:
            raise CacheUnavailable("timeout") from None

    async def _unlink_model(self, prefix: str) -> int:
        cursor, deleted = 0, 0
        while True:
            cursor, keys = await self._link.ask(partial(_scan, cursor=cursor, prefix=prefix), within=STEP_SECONDS)
            if keys:
                deleted += await self._unlink(keys)
            if not cursor:
                return deleted

    async def _unlink(self, keys: list[str]) -> int:
        return await self._link.ask(partial(_unlink, keys=keys), within=STEP_SECONDS)

    def _decode(self, keys: Sequence[str], values: Sequence[bytes | None]) -> list[Pcm | None]:
        return [None if value is None else decode(key, value) for key, value in zip(keys, values, strict=True)]


async def _scan(redis: Redis, *, cursor: int, prefix: str) -> tuple[int, list[str]]:
    """Return where to go on, 0 at the end, and some keys: only such as begin with the prefix, whatever Redis says."""
    answer = await redis.scan(cursor, match=f"{prefix}*", count=SCAN_COUNT)
    names = [name.decode("ascii", "replace") for name in answer[1] if isinstance(name, bytes)]
    return int(answer[0]), [name for name in names if name.startswith(prefix)]


async def _unlink(redis: Redis, *, keys: list[str]) -> int:
    deleted = await redis.unlink(*keys)
    if not isinstance(deleted, int):
        raise exceptions.InvalidResponse
    return deleted
