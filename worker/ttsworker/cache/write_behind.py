"""Puts, one after another in the background: nobody waits for them, and what is too much is dropped."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable

from ttsworker.audio import Pcm
from ttsworker.cache.breaker import BackOff, Breaker
from ttsworker.cache.client import REFUSALS, Link
from ttsworker.cache.interface import CacheUnavailable, Observer

PUT_SECONDS = 1.0
"""For one put: nobody waits for it, so it may take a slow moment of Redis."""

MAX_QUEUED_BYTES = 16 * 2**20
"""Samples that may wait to be written: six minutes of audio at 24 kHz."""

MAX_VALUE_BYTES = 512 * 2**10
"""A longer value (about 20 s of speech) could not be read back in a get's time together with others."""

log = logging.getLogger(__name__)


class Writer:
    """Writes audio with a time to live. One that refuses (full, read-only) gets no puts for a while, gets go on."""

    def __init__(
        self,
        link: Link,
        encode: Callable[[str, Pcm], bytes],
        observer: Observer,
        *,
        ttl_seconds: int,
        back_off: BackOff,
    ) -> None:
        self._link = link
        self._encode = encode
        self._observer = observer
        self._ttl_seconds = ttl_seconds
        clock = asyncio.get_running_loop().time
        self._refusals = Breaker(back_off, clock=clock, chance=random.random)
        self._queue: deque[tuple[str, Pcm]] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._task = asyncio.create_task(self._run())

    def put(self, key: str, pcm: Pcm) -> None:
        """Write soon, if Redis takes anything at present and there is room in the queue."""
        if not self._link.is_up or self._resting():
            return
        if self._queued_bytes + pcm.nbytes > MAX_QUEUED_BYTES:
            self._observer.cache_failed("behind")
            return
        self._queue.append((key, pcm))
        self._queued_bytes += pcm.nbytes
        self._wake.set()

    async def forget(self, is_doomed: Callable[[str], bool]) -> None:
        """Drop these keys from the queue, and wait for the end of a write: what is cleared is not to come back."""
        self._queue = deque(item for item in self._queue if not is_doomed(item[0]))
        self._queued_bytes = sum(pcm.nbytes for _, pcm in self._queue)
        async with self._writing:
            pass

    async def close(self) -> None:
        """Stop writing; what waits is dropped."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _resting(self) -> bool:
        return self._refusals.is_open and self._refusals.due_in() > 0

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
        if not self._link.is_up or self._resting():  # since it was put
            return
        # In a thread: half a millisecond for each second of audio, which FLAC takes without holding Python's lock.
        value = await asyncio.to_thread(self._encode, key, pcm)
        if len(value) > MAX_VALUE_BYTES:
            return
        try:
            await self._link.ask(lambda redis: redis.set(key, value, ex=self._ttl_seconds), within=PUT_SECONDS)
        except CacheUnavailable as error:
            if error.reason not in REFUSALS:
                return
            if not self._refusals.is_open:
                log.warning("the cache's Redis stores nothing more", extra={"reason": error.reason})
            self._refusals.failed()
        else:
            if self._refusals.is_open:
                log.info("the cache's Redis stores again")
                self._refusals.close()
            self._refusals.succeeded()
