"""Commands that Redis may refuse while it answers others: writes when it is full, scripts when they are forbidden."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis

from ttsworker.redis.client import RedisClient, RedisUnavailable

T = TypeVar("T")

log = logging.getLogger(__name__)


class Commands:
    """Commands of one kind. When Redis refuses one they rest, behind a circuit breaker of their own.

    Nothing probes: once the rest is over, the next command is the attempt.
    """

    def __init__(self, client: RedisClient, kind: str) -> None:
        """`kind` names them in the log, such as "audio for the cache"."""
        self._client = client
        self._kind = kind
        self._breaker = client.make_breaker()

    @property
    def are_sent(self) -> bool:
        """Whether a command would be sent now: Redis answers, and these do not rest."""
        return self._client.is_up and not self._rests

    async def ask(self, command: Callable[[Redis], Awaitable[T]], *, within: float) -> T:
        """See RedisClient.ask; raise RedisUnavailable at once while they rest."""
        if self._rests:
            raise RedisUnavailable("refused", refused=True)
        try:
            answer = await self._client.ask(command, within=within)
        except RedisUnavailable as error:
            if error.refused:
                if not self._breaker.is_open:
                    log.warning("Redis refuses %s", self._kind, extra={"reason": error.reason, "error": error.detail})
                self._breaker.failed()
            raise
        if self._breaker.is_open:
            log.info("Redis accepts %s again", self._kind)
        self._breaker.succeeded()
        return answer

    @property
    def _rests(self) -> bool:
        return self._breaker.is_open and self._breaker.due_in() > 0
