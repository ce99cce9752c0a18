"""What an audio cache does for the rest of the worker, and what it needs of it."""

from collections.abc import Sequence
from typing import Literal, Protocol

from ttsworker.audio import Pcm
from ttsworker.redis.client import Reason as RedisReason

Reason = Literal[RedisReason, "corrupt", "behind"]
"""Why a cache failed, a label of a metric: why Redis did, or: a value that is not what was put; puts that come faster
than they can be written."""


class CacheUnavailable(Exception):
    """The cache cannot do what it was asked; `reason` says why, the message is for the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the cache's Redis is not available ({reason}): try again later")
        self.reason = reason


class AudioCache(Protocol):
    """The audio of sentences by key (`cache_key`). Caller and cache share the arrays: neither may write to them."""

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None where there is none. Never raises, and never waits long."""

    def put(self, key: str, pcm: Pcm) -> None:
        """Keep the audio; in the background, and only if there is room for it. Only from the event loop."""

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete the audio of these keys; return how many there were. Raises CacheUnavailable."""

    async def clear_model(self, digest: str) -> int:
        """Delete all audio of the model with this digest; return how many sentences. Raises CacheUnavailable."""

    async def close(self) -> None:
        """Stop the tasks; drop what has not been written yet."""


class Observer(Protocol):
    """Counts what happens in a cache: the worker's metrics."""

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        """Count the sentences of one get."""

    def cache_failed(self, reason: Reason) -> None:
        """Count a failure."""

    def cache_available(self, *, available: bool) -> None:
        """Show whether the cache is used."""
