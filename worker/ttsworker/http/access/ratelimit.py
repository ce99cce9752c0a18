"""Count each client's requests for its rate limit: in this process, or in a Redis that all workers share."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from redis import exceptions
from redis.asyncio import Redis

from ttsworker.http.access.limits import SECOND, Limit, arrive
from ttsworker.redis.client import RedisClient, RedisUnavailable
from ttsworker.redis.commands import Commands

MAX_CLIENTS = 50_000
"""Limit of remembered clients, some 10 MB. The limiter forgets the client with the oldest last request first."""

TIMEOUT_SECONDS = 0.2
"""Timeout of Redis, including a new connection: longer than a round trip across a region, short beside a synthesis."""

MAX_COMMANDS = 8
"""Connections for concurrent scripts: Redis runs a script in about 20 microseconds, so more would only wait there."""

KEY_PREFIX = "tts:limit:"

# limits.arrive, on the clock of Redis. A state that is not a number counts as a new client's. The script writes
# a state that it cut to a burst even when it refuses the request; otherwise the state would never become less.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local free_at = tonumber(redis.call('GET', KEYS[1])) or now
free_at = math.min(math.max(now, free_at), now + span)
local moved = free_at + interval
local wait = moved - span - now
if wait > 0 then moved = free_at end
redis.call('SET', KEYS[1], string.format('%.0f', moved), 'PX', string.format('%.0f', math.ceil((moved - now) / 1000)))
return math.max(wait, 0)
"""


class RateLimiter(Protocol):
    """Counts the requests of each client, by the client's name."""

    async def arrive(self, client: str, limit: Limit) -> int:
        """Count an accepted request and return 0, or return the microseconds until it would be accepted."""


class LocalLimiter:
    """Counts in this process. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_clients: int = MAX_CLIENTS) -> None:
        self._clock = clock
        self._max_clients = max_clients
        self._free_at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._free_at)

    def wait(self, client: str, limit: Limit) -> int:
        """Return the microseconds until a request would be accepted, and count none."""
        return arrive(self._free_at.get(client, 0), round(self._clock() * SECOND), limit)[1]

    async def arrive(self, client: str, limit: Limit) -> int:
        """See RateLimiter."""
        now = round(self._clock() * SECOND)
        free_at, wait = arrive(self._free_at.pop(client, 0), now, limit)
        self._free_at[client] = free_at
        self._forget(now)
        return wait

    def _forget(self, now: int) -> None:
        """Drop the oldest clients; those whose whole burst is available again count as new ones anyway."""
        while self._free_at and (next(iter(self._free_at.values())) <= now or len(self._free_at) > self._max_clients):
            self._free_at.popitem(last=False)


class SharedLimiter:
    """Counts in Redis, in one round trip. While Redis is unavailable, each worker counts its own requests."""

    def __init__(self, redis: RedisClient, local: LocalLimiter) -> None:
        self._commands = Commands(redis, "the script of the rate limits")
        self._places = asyncio.Semaphore(MAX_COMMANDS)
        self._local = local

    async def arrive(self, client: str, limit: Limit) -> int:
        """See RateLimiter; never raises an error of Redis."""

        async def count(redis: Redis) -> int:
            async with self._places:
                return await _run_script(redis, client, limit)

        try:
            return await self._commands.ask(count, within=TIMEOUT_SECONDS)
        except RedisUnavailable:
            return await self._local.arrive(client, limit)


async def _run_script(redis: Redis, client: str, limit: Limit) -> int:
    wait: Any = await redis.eval(_SCRIPT, 1, KEY_PREFIX + client, str(limit.interval), str(limit.span))
    if not isinstance(wait, int) or not 0 <= wait <= limit.span:
        raise exceptions.InvalidResponse
    return wait
