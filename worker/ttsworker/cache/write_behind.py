"""Write-behind: puts run one after another in the background. Requests never wait for them; a full queue drops them."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ttsworker.audio import Pcm
from ttsworker.cache.interface import Observer
from ttsworker.redis.client import RedisClient, RedisUnavailable
from ttsworker.redis.commands import Commands

PUT_SECONDS = 1.0
"""Timeout of one put. No request waits for it, so Redis may be slow for a moment."""

MAX_QUEUED_BYTES = 16 * 2**20
"""Limit of the queue, in bytes of samples: six minutes of audio at 24 kHz."""

MAX_VALUE_BYTES = 512 * 2**10
"""Limit of a value (about 20 s of speech); a get could not read a longer one and others within its timeout."""


class WriteBehind:
    """Writes audio with a time to live. After Redis refuses a put (full, read-only), puts pause; gets continue."""

    def __init__(
        self,
        redis: RedisClient,
        encode: Callable[[str, Pcm], bytes],
        observer: Observer,
        *,
        ttl_seconds: int,
    ) -> None:
        self._commands = Commands(redis, "audio for the cache")
        self._encode = encode
        self._observer = observer
        self._ttl_seconds = ttl_seconds
        self._queue: deque[tuple[str, Pcm]] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task = asyncio.create_task(self._run())

    def put(self, key: str, pcm: Pcm) -> None:
        """Queue the audio, if Redis accepts puts at present and the queue has room."""
        if not self._commands.are_sent:
            return
        if self._queued_bytes + pcm.nbytes > MAX_QUEUED_BYTES:
            self._observer.cache_failed("behind")
            return
        self._queue.append((key, pcm))
        self._queued_bytes += pcm.nbytes
        self._wake.set()

    async def forget(self, is_selected: Callable[[str], bool]) -> None:
        """Drop the selected keys from the queue and wait for a running put, so that no put restores cleared audio."""
        self._queue = deque(item for item in self._queue if not is_selected(item[0]))
        self._queued_bytes = sum(pcm.nbytes for _, pcm in self._queue)
        async with self._writing:
            pass

    async def close(self) -> None:
        """Stop writing; drop the queue."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            async with self._writing:
                key, pcm = self._queue.popleft()
                self._queued_bytes -= pcm.nbytes
                await self._write(key, pcm)

    async def _write(self, key: str, pcm: Pcm) -> None:
        if not self._commands.are_sent:  # may have changed since the put
            return
        # In a thread: FLAC takes half a millisecond for each second of audio, and releases Python's lock meanwhile.
        value = await asyncio.to_thread(self._encode, key, pcm)
        if len(value) > MAX_VALUE_BYTES:
            return
        with suppress(RedisUnavailable):  # the client already reported it
            await self._commands.ask(lambda redis: redis.set(key, value, ex=self._ttl_seconds), within=PUT_SECONDS)
