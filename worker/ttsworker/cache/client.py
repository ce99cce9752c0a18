"""The way to Redis: every command goes through here, with a time-out, past the circuit breaker.

redis-py brings patience of its own, which would add up behind our back: 10 retries of every command, 5 s to connect and
5 s for an answer each, and up to five questions on a new connection (HELLO, CLIENT ...). All of it is switched off: a
command is sent once, a new connection costs its handshake and what the URL wants (AUTH, SELECT), and the one time-out
around the command covers it all. When that strikes, redis-py closes the connection, so that no late answer is taken for
the answer to the next command.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import SecretStr
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from ttsworker.cache.breaker import BackOff, Breaker
from ttsworker.cache.interface import CacheUnavailable, InvalidRedisUrl, Observer, Reason
from ttsworker.cache.timeouts import limited

T = TypeVar("T")

BACK_OFF = BackOff(first=0.5, longest=30.0)
"""Half a second without a cache is nothing; a probe every 30 s is no load, whatever Redis does."""

CONNECT_SECONDS = 1.0
"""For a probe, which nobody waits for: a name to be looked up, TCP, TLS, AUTH."""

MAX_CONNECTIONS = 4
"""Gets, puts, a clear, a probe: one command of each at a time."""

REFUSALS: frozenset[Reason] = frozenset({"full", "refused"})
"""What Redis says in good order: nothing is wrong with the connection."""

_NO_KEY = "tts:probe"

log = logging.getLogger(__name__)


class Link:
    """A Redis that is asked while it answers. At first it is probed, so that no request waits for a connection."""

    def __init__(self, url: SecretStr, observer: Observer, *, answer_seconds: float, back_off: BackOff) -> None:
        """Raise InvalidRedisUrl. `answer_seconds` is how fast a probe must be answered on a connection."""
        loop = asyncio.get_running_loop()
        self._redis = Redis(connection_pool=make_pool(url))
        self._observer = observer
        self._answer_seconds = answer_seconds
        self._breaker = Breaker(back_off, clock=loop.time, chance=random.random, is_open=True)
        self._told: bool | None = None
        self._reason: Reason = "connection"
        self._probe = asyncio.create_task(self._probe_until_up())

    @property
    def is_up(self) -> bool:
        """Whether a command would be sent at all."""
        return not self._breaker.is_open

    async def ask(self, command: Callable[[Redis], Awaitable[T]], *, within: float) -> T:
        """Send a command; raises CacheUnavailable, at once while Redis is left alone.

        After one of REFUSALS it goes on being asked, unless the caller gives it up.
        """
        if self._breaker.is_open:
            raise CacheUnavailable(self._reason)
        try:
            answer = await limited(command(self._redis), within)
        except Exception as error:  # noqa: BLE001 - a lying server makes the library raise whatever there is
            reason = reason_of(error)
            self._observer.cache_failed(reason)
            if reason not in REFUSALS:
                self.give_up(reason, error)
            # Without the cause: a server's words may repeat ours, the password among them.
            raise CacheUnavailable(reason) from None
        if not self._breaker.is_open:
            self._breaker.succeeded()
        return answer

    def give_up(self, reason: Reason, error: BaseException | None = None) -> None:
        """Leave Redis alone until a probe succeeds."""
        if not self._breaker.is_open:
            self._breaker.failed()
            self._tell(reason, error)
            self._probe = asyncio.create_task(self._probe_until_up())

    async def close(self) -> None:
        """End the connections; a command that is under way fails."""
        self._probe.cancel()
        await asyncio.gather(self._probe, return_exceptions=True)
        with suppress(exceptions.RedisError, OSError):  # it was not to be used any more anyway
            await self._redis.aclose()
            await self._redis.connection_pool.aclose()

    async def _probe_until_up(self) -> None:
        """Ask for a key there is not, ever more rarely: first to be connected, then to see that answers come fast."""
        while self._breaker.is_open:
            await asyncio.sleep(self._breaker.due_in())
            try:
                for seconds in (CONNECT_SECONDS, self._answer_seconds):
                    await limited(get_values(self._redis, [_NO_KEY]), seconds)
            except Exception as error:  # noqa: BLE001 - as above: told, and tried again
                reason = reason_of(error)
                self._observer.cache_failed(reason)
                self._breaker.failed()
                self._tell(reason, error)
            else:
                self._breaker.close()
                self._tell(None, None)

    def _tell(self, reason: Reason | None, error: BaseException | None) -> None:
        """Log a transition, once. Neither the URL nor what a server says is logged: they may hold the password."""
        up = reason is None
        self._reason = reason or self._reason
        if up == self._told:
            return
        self._told = up
        self._observer.cache_available(available=up)
        if up:
            log.info("the cache's Redis answers: it is used")
        else:
            kind = type(error.__context__ or error).__name__ if error else None
            message = "the cache's Redis cannot be used: every sentence is spoken until it answers again"
            log.warning(message, extra={"reason": reason, "error": kind})


def make_pool(url: SecretStr) -> ConnectionPool:
    """Return a pool of connections that are as patient as we say, whatever the URL says; raises InvalidRedisUrl."""
    message = "redis_url must be redis://[user:password@]host[:port][/database], or rediss:// for TLS"
    secret = url.get_secret_value()
    if not secret.startswith(("redis://", "rediss://")):
        raise InvalidRedisUrl(message)
    ours: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
        "socket_timeout": None,
        "socket_connect_timeout": CONNECT_SECONDS,
        "health_check_interval": 0,
        "protocol": 2,
        "driver_info": None,
        "client_name": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "decode_responses": False,
        "max_connections": MAX_CONNECTIONS,
    }
    try:
        pool = ConnectionPool(**{**parse_url(secret), **ours})
        pool.connection_class(**pool.connection_kwargs)  # connects nothing, but refuses an unknown option of the URL
    except Exception:  # noqa: BLE001 - ValueError, TypeError, and what TLS options raise; their text quotes the URL
        raise InvalidRedisUrl(message) from None
    return pool


async def get_values(redis: Redis, keys: list[str]) -> list[bytes | None]:
    """Return the values of these keys; raises InvalidResponse for an answer that cannot be one."""
    values = [value for value in await redis.mget(keys) if value is None or isinstance(value, bytes)]
    if len(values) != len(keys):
        raise exceptions.InvalidResponse
    return values


def reason_of(error: Exception) -> Reason:
    """Say in one word why a command failed."""
    match error:
        case TimeoutError() | exceptions.TimeoutError():
            return "timeout"
        case exceptions.AuthenticationError() | exceptions.AuthorizationError() | exceptions.NoPermissionError():
            return "authentication"
        case exceptions.ConnectionError() | OSError():
            return "connection"
        case exceptions.OutOfMemoryError():
            return "full"
        case exceptions.ResponseError():
            return "refused"
        case _:
            return "protocol"
