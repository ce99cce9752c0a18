"""The interface between an audio cache and the rest of the worker."""

from collections.abc import Sequence
from typing import Literal, Protocol

from ttsworker.audio import Pcm
from ttsworker.redis.client import Reason as RedisReason

Reason = Literal[RedisReason, "corrupt", "behind"]
"""Why a cache failed, as a metric label: Redis's reason, or a value that differs from the one put, or puts that arrive
faster than the cache can write them."""


class CacheUnavailable(Exception):
    """The cache cannot serve the call; `reason` says why, the message is for the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the cache's Redis is not available ({reason}): try again later")
        self.reason = reason


class AudioCache(Protocol):
    """The audio of sentences by key (`cache_key`). Caller and cache share the arrays, so neither may modify them."""

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None for a miss. Never raises, and never waits long."""

    def put(self, key: str, pcm: Pcm) -> None:
        """Store the audio in the background if the queue has room. Call it only from the event loop."""

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete the audio of these keys; return how many existed. Raises CacheUnavailable."""

    async def clear_model(self, digest: str, owner: str = "") -> int:
        """Delete the audio of the model with this digest, all of it or an owner's; return how many sentences.

        Raises CacheUnavailable.
        """

    async def close(self) -> None:
        """Stop the tasks; drop unwritten audio."""


class Observer(Protocol):
    """Counts a cache's events in the worker's metrics."""

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        """Count the hits and misses of one get."""

    def cache_failed(self, reason: Reason) -> None:
        """Count a failure."""

    def cache_available(self, *, available: bool) -> None:
        """Show whether the cache is used."""
