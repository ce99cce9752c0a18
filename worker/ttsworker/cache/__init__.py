"""Audio that was spoken before: in Redis, shared by all workers, or in the process where there is no Redis.

What a dead Redis costs
-----------------------
A request never waits for a connection to Redis, nor for a put; it waits only for the answer to a get.

- *Not there, refused, wrong password, restarted*: nothing. The get that finds it out is a miss at once.
- *Silent* (paused, overloaded, cut off): one time-out of 50 ms (`reading.GET_SECONDS`), in common for all requests that
  are looking something up at that moment: one command is under way at a time. From then on nothing.
- *Slow*: what comes within 50 ms is used, what comes later is a time-out as above.
- *Lying* (garbage, another key's value, half a value): a miss. Audio is only taken when its checksum, which covers the
  key, is right.
- *Full, or read-only*: nothing. Gets go on, and puts rest.

After a failure Redis is left alone and probed in the background: after half a second, then ever more rarely, at least
every 30 s (with up to a quarter added by chance, so that workers do not come in step). The first probe that is answered
as fast as a get ends it. Each change is one line in the log and a step of the gauge `tts_cache_available`.
Memory is bounded: 16 MiB of samples wait to be written, and puts beyond that are dropped.
"""

import time

from pydantic import SecretStr

from ttsworker.cache.interface import AudioCache, CacheUnavailable, InvalidRedisUrl, Observer, Reason
from ttsworker.cache.keys import cache_key, is_cache_key, model_prefix
from ttsworker.cache.memory import MemoryCache
from ttsworker.cache.nothing import NoCache
from ttsworker.cache.redis import RedisCache

__all__ = [
    "AudioCache",
    "CacheUnavailable",
    "InvalidRedisUrl",
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


def open_cache(*, redis_url: SecretStr | None, ttl_seconds: int, memory_bytes: int, observer: Observer) -> AudioCache:
    """Return the cache that the settings want; none for a time to live of 0. Raises InvalidRedisUrl.

    Needs the running event loop; nothing is waited for.
    """
    if not ttl_seconds:
        return NoCache()
    if redis_url:
        return RedisCache(redis_url, ttl_seconds=ttl_seconds, observer=observer)
    if not memory_bytes:
        return NoCache()
    observer.cache_available(available=True)
    return MemoryCache(max_bytes=memory_bytes, ttl=ttl_seconds, clock=time.monotonic, observer=observer)
