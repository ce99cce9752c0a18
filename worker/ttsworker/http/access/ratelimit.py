"""The rate limit of each client: counted in this process, or in a Redis that all workers share."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol

from redis.asyncio import Redis

from ttsworker.http.access.limits import SECOND, Limit, arrive

MAX_CLIENTS = 50_000
"""Clients remembered at a time, some 10 MB; those heard of least lately are forgotten first."""

TIMEOUT_SECONDS = 0.2
"""For Redis, a connection included: longer than it takes across a region, and nothing beside a synthesis."""

KEY_PREFIX = "tts:limit:"

# limits.arrive, on the clock of the Redis. A state that is no number is a new client's; one that was cut to a burst
# is written even where the request is refused, for it would never become less otherwise.
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

log = logging.getLogger(__name__)


class RateLimiter(Protocol):
    """Counts the requests of clients, each named by a text."""

    async def arrive(self, client: str, limit: Limit) -> int:
        """Count a request that is let in and return 0, or return the microseconds after which it would be."""

    async def close(self) -> None:
        """Let go of connections."""


class Breaker(Protocol):
    """Decides whether a server that has failed is asked again yet."""

    def allows(self) -> bool:
        """Tell whether to ask now; what came of it is to be told."""

    def succeeded(self) -> None:
        """Note that it has answered."""

    def failed(self) -> None:
        """Note that it has not answered, or nonsense."""


class LocalLimiter:
    """Counts in this process. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_clients: int = MAX_CLIENTS) -> None:
        self._clock = clock
        self._max_clients = max_clients
        self._free_at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._free_at)

    async def arrive(self, client: str, limit: Limit) -> int:
        """See RateLimiter."""
        now = round(self._clock() * SECOND)
        free_at, wait = arrive(self._free_at.pop(client, 0), now, limit)
        self._free_at[client] = free_at
        self._forget(now)
        return wait

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _forget(self, now: int) -> None:
        """Drop clients from the one heard of least lately: those with a whole burst are as good as new ones."""
        while self._free_at and (next(iter(self._free_at.values())) <= now or len(self._free_at) > self._max_clients):
            self._free_at.popitem(last=False)


class SharedLimiter:
    """Counts in Redis, in one round trip; while Redis does not answer in time, each worker counts for itself."""

    def __init__(self, redis: Redis, local: LocalLimiter, breaker: Breaker) -> None:
        self._redis = redis
        self._local = local
        self._breaker = breaker
        self._alone = False

    async def arrive(self, client: str, limit: Limit) -> int:
        """See RateLimiter; never raises for what Redis does."""
        if not self._breaker.allows():
            return await self._local.arrive(client, limit)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                wait = await self._ask(client, limit)
        except Exception as error:  # noqa: BLE001 - what is no Redis makes its client raise just anything
            self._breaker.failed()
            self._tell(alone=True, why=f"{type(error).__name__}: {error}")
            return await self._local.arrive(client, limit)
        self._breaker.succeeded()
        self._tell(alone=False)
        return wait

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose()

    async def _ask(self, client: str, limit: Limit) -> int:
        arguments = (str(limit.interval), str(limit.span))
        wait: Any = await self._redis.eval(_SCRIPT, 1, KEY_PREFIX + client, *arguments)
        if not isinstance(wait, int) or not 0 <= wait <= limit.span:
            raise ValueError(f"the answer is no time to wait but {str(wait)[:100]!r}")
        return wait

    def _tell(self, *, alone: bool, why: str = "") -> None:
        if alone == self._alone:
            return
        self._alone = alone
        if alone:
            log.warning("Redis does not answer, each worker counts its clients' requests for itself: %s", why)
        else:
            log.info("Redis answers again, the rate limit is shared")
