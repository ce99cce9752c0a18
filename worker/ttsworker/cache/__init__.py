"""Audio that was synthesized before: in Redis, shared by all workers, or without a Redis in the process.

What a dead Redis costs
-----------------------
A request never waits for a connection to Redis, nor for a put; it waits only for the answer to a get.

- *Missing, refusing connections or the password, restarted*: nothing. The get that finds it out is a miss at once.
- *Silent* (paused, overloaded, cut off): one timeout of 50 ms (`batched_get.GET_SECONDS`), shared by all requests that
  get something at that moment, because one MGET runs at a time. From then on nothing.
- *Slow*: an answer within 50 ms is used; a later one is a timeout as above.
- *Lying* (garbage, another key's value, half a value): a miss. Audio is used only if its checksum is right, and that
  covers the key.
- *Full, or read-only*: nothing. Gets go on, and puts rest.

How Redis is found again: see `ttsworker.redis`. The gauge `tts_cache_available` shows whether it is used.
Memory is bounded: at most 16 MiB of samples wait to be written, and further puts are dropped.
"""

import time

from ttsworker.cache.interface import AudioCache, CacheUnavailable, Observer, Reason
from ttsworker.cache.keys import cache_key, is_cache_key, model_prefix
from ttsworker.cache.memory import MemoryCache
from ttsworker.cache.nothing import NoCache
from ttsworker.cache.redis import RedisCache
from ttsworker.redis.client import RedisClient

__all__ = [
    "AudioCache",
    "CacheUnavailable",
    "MemoryCache",
    "NoCache",
    "Observer",
    "Reason",
    "RedisCache",
    "cache_key",
    "is_cache_key",
    "model_prefix",
    "open_cache",
]


def open_cache(redis: RedisClient | None, *, ttl_seconds: int, memory_bytes: int, observer: Observer) -> AudioCache:
    """Return the cache that the settings want; none for a time to live of 0. Needs the running event loop."""
    if not ttl_seconds:
        return NoCache()
    if redis:
        return RedisCache(redis, ttl_seconds=ttl_seconds, observer=observer)
    if not memory_bytes:
        return NoCache()
    observer.cache_available(available=True)
    return MemoryCache(max_bytes=memory_bytes, ttl=ttl_seconds, clock=time.monotonic, observer=observer)
