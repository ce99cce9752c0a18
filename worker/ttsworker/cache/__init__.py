"""The cache of synthesized audio: in Redis, where all workers share it, or without a Redis in the process.

What a failed Redis costs
-------------------------
A request never waits for a connection to Redis, nor for a put; it waits only for the answer to a get.

- *Missing, refuses connections or the password, restarted*: no time. The get that discovers it is a miss at once.
- *Silent* (paused, overloaded, cut off): one timeout of 50 ms (`batched_get.GET_SECONDS`), which all concurrent gets
  share, because one MGET runs at a time. After that, no time.
- *Slow*: the cache uses an answer within 50 ms; a later one is a timeout as above.
- *Wrong answers* (garbage, another key's value, half a value): a miss. The cache uses audio only if its checksum, which
  covers the key, is right.
- *Full, or read-only*: no time. Gets continue, and puts pause.

`ttsworker.redis` describes how the worker finds Redis again. The gauge `tts_cache_available` shows whether the cache
is used. Memory is bounded: at most 16 MiB of samples wait to be written; the cache drops further puts.
"""

from ttsworker.cache.interface import AudioCache, CacheUnavailable, Observer, Reason
from ttsworker.cache.keys import cache_key, is_cache_key, is_shared_with, model_prefix
from ttsworker.cache.memory import MemoryCache
from ttsworker.cache.nothing import NoCache
from ttsworker.cache.redis import RedisCache
from ttsworker.clock import Clock
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
    "is_shared_with",
    "model_prefix",
    "open_cache",
]


def open_cache(
    redis: RedisClient | None, *, ttl_seconds: int, memory_bytes: int, observer: Observer, clock: Clock
) -> AudioCache:
    """Return the cache for these settings; a `ttl_seconds` of 0 disables it. Needs the running event loop."""
    if not ttl_seconds:
        return NoCache()
    if redis:
        return RedisCache(redis, ttl_seconds=ttl_seconds, observer=observer, clock=clock)
    if not memory_bytes:
        return NoCache()
    observer.cache_available(available=True)
    return MemoryCache(max_bytes=memory_bytes, ttl=ttl_seconds, clock=clock.monotonic, observer=observer)
