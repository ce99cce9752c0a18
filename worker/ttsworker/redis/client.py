"""The Redis client: every command runs here, with a timeout, behind the circuit breaker.

redis-py has timeouts and retries of its own, which would add up: 10 retries of every command, 5 s to connect and 5 s
for each answer, and up to five commands on a new connection (HELLO, CLIENT ...). All of it is switched off. A command
is sent once. A new connection costs its handshake and what the URL asks for (AUTH, SELECT). The one timeout around the
command covers it all. When it ends, redis-py closes the connection, so a late answer is never taken for the answer to
the next command.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal, Protocol, TypeVar

from pydantic import SecretStr
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from ttsworker.clock import Clock, SystemClock
from ttsworker.redis.breaker import BackOff, CircuitBreaker
from ttsworker.redis.timeouts import limited
from ttsworker.settings import InvalidSettings

T = TypeVar("T")

BACK_OFF = BackOff(first=0.5, longest=30.0)
"""Nobody misses Redis for half a second, and a probe every 30 s is no load."""

CONNECT_SECONDS = 1.0
"""For a probe, which no request waits for: DNS, TCP, TLS and AUTH."""

ANSWER_SECONDS = 0.2
"""For the answer to a command on an open connection: longer than it takes across a region."""

MAX_CONNECTIONS = 12
"""8 for the rate limits (`ratelimit.MAX_COMMANDS`); of the cache one each for gets, puts and a clear; one for a probe.
Each has its own, so that a burst of one kind does not make another wait."""

Reason = Literal["timeout", "connection", "authentication", "protocol", "refused", "full"]
"""Why a command failed: no answer in time; no connection; a wrong password or too few rights; an answer that is not
Redis'; an error as the answer; no memory left."""

_MISSING_KEY = "tts:probe"

log = logging.getLogger(__name__)


class RedisUnavailable(Exception):
    """A command failed, or was not sent because the breaker is open. `refused` when Redis answered with an error.

    `detail` is the name of the library's exception. Its text is left out: a server may repeat the password in it.
    """

    def __init__(self, reason: Reason, *, refused: bool = False, detail: str | None = None) -> None:
        super().__init__(f"Redis is not available ({reason}): try again later")
        self.reason = reason
        self.refused = refused
        self.detail = detail


class Observer(Protocol):
    """Counts failures and shows the state: the worker's metrics."""

    def cache_failed(self, reason: Reason) -> None:
        """Count a command or a probe that failed."""

    def cache_available(self, *, available: bool) -> None:
        """Show whether commands are sent."""


class RedisClient:
    """Sends commands while Redis answers. It begins with a probe, so no request waits for the first connection."""

    def __init__(
        self,
        url: SecretStr,
        observer: Observer | None = None,
        *,
        clock: Clock | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        back_off: BackOff = BACK_OFF,
    ) -> None:
        """Start probing in the running event loop. Raise InvalidSettings for a URL that cannot be used.

        A probe has `connect_seconds` to connect, and its answer `answer_seconds`: as long as the most urgent command.
        The clock is for the pauses between probes.
        """
        self.back_off = back_off
        self._redis = Redis(connection_pool=make_pool(url))
        self._observer = observer
        self._clock = clock or SystemClock()
        self._probe_seconds = (connect_seconds, answer_seconds)
        self._breaker = self.make_breaker(is_open=True)
        self._was_up: bool | None = None
        self._reason: Reason = "connection"
        self._probing = asyncio.create_task(self._probe_until_up())

    @property
    def is_up(self) -> bool:
        """Whether commands are sent."""
        return not self._breaker.is_open

    def make_breaker(self, *, is_open: bool = False) -> CircuitBreaker:
        """Return a circuit breaker with this client's delays."""
        return CircuitBreaker(self.back_off, clock=self._clock.monotonic, random=random.random, is_open=is_open)

    async def ask(self, command: Callable[[Redis], Awaitable[T]], *, within: float) -> T:
        """Send a command and return its answer; raise RedisUnavailable, at once while the breaker is open.

        An error as the answer leaves the breaker closed; the caller may `give_up`.
        """
        if self._breaker.is_open:
            raise RedisUnavailable(self._reason)
        try:
            answer = await self._send(command, within)
        except RedisUnavailable as error:
            if not error.refused:
                self.give_up(error)
            raise
        if not self._breaker.is_open:
            self._breaker.succeeded()
        return answer

    async def probe(self) -> None:
        """Get a key that does not exist: first to connect, then to see how fast Redis is; raise RedisUnavailable."""
        for seconds in self._probe_seconds:
            await self._send(lambda redis: get_values(redis, [_MISSING_KEY]), seconds)

    def give_up(self, error: RedisUnavailable) -> None:
        """Open the breaker until a probe succeeds."""
        if not self._breaker.is_open:
            self._breaker.failed()
            self._report(error)
            self._probing = asyncio.create_task(self._probe_until_up())

    async def close(self) -> None:
        """Close the connections; a running command fails."""
        self._probing.cancel()
        await asyncio.gather(self._probing, return_exceptions=True)
        with suppress(exceptions.RedisError, OSError):  # it is not used any more
            await self._redis.aclose()
            await self._redis.connection_pool.aclose()

    async def _send(self, command: Callable[[Redis], Awaitable[T]], seconds: float) -> T:
        try:
            return await limited(command(self._redis), seconds)
        except Exception as error:  # noqa: BLE001 - what is no Redis makes the library raise anything
            reason = reason_of(error)
            if self._observer:
                self._observer.cache_failed(reason)
            refused = isinstance(error, exceptions.ResponseError)
            detail = type(error.__context__ or error).__name__
            # Without the cause: a server's words may repeat ours, the password among them.
            raise RedisUnavailable(reason, refused=refused, detail=detail) from None

    async def _probe_until_up(self) -> None:
        while self._breaker.is_open:
            if seconds := self._breaker.due_in():
                await self._clock.sleep(seconds)
                continue  # the timer may have ended a little early
            try:
                await self.probe()
            except RedisUnavailable as error:
                self._breaker.failed()
                self._report(error)
            else:
                self._breaker.close()
                self._report(None)

    def _report(self, error: RedisUnavailable | None) -> None:
        """Log a change, once. Neither the URL nor what a server says is logged: they may hold the password."""
        up = error is None
        if error:
            self._reason = error.reason
        if up == self._was_up:
            return
        self._was_up = up
        if self._observer:
            self._observer.cache_available(available=up)
        if error is None:
            log.info("Redis answers: the worker uses it for the audio cache and the rate limits")
        else:
            message = (
                "Redis does not answer: until it does, nothing is cached and each worker counts requests by itself"
            )
            log.warning(message, extra={"reason": error.reason, "error": error.detail})


def make_pool(url: SecretStr) -> ConnectionPool:
    """Return a pool whose timeouts and retries are ours, whatever the URL says; raise InvalidSettings."""
    message = "redis_url must be redis://[user:password@]host[:port][/database], or rediss:// for TLS"
    secret = url.get_secret_value()
    if not secret.startswith(("redis://", "rediss://")):
        raise InvalidSettings(message)
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
        raise InvalidSettings(message) from None
    return pool


async def get_values(redis: Redis, keys: list[str]) -> list[bytes | None]:
    """Return the values of these keys; raise InvalidResponse for an answer that cannot be one."""
    values = [value for value in await redis.mget(keys) if value is None or isinstance(value, bytes)]
    if len(values) != len(keys):
        raise exceptions.InvalidResponse
    return values


def reason_of(error: Exception) -> Reason:
    """Return in one word why a command failed."""
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
