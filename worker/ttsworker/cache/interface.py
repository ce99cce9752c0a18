"""What a cache of audio is to the rest of the worker, and what the rest of the worker is to a cache."""

from collections.abc import Sequence
from typing import Literal, Protocol

from ttsworker.audio import Pcm

Reason = Literal["timeout", "connection", "authentication", "protocol", "refused", "full", "corrupt", "behind"]
"""Why a cache failed, a label of a metric: no answer in time; no connection; wrong password or too few rights; an
answer that is not Redis'; an error as the answer; no memory left; a value that is not what was put; puts that came
faster than they could be written."""


class CacheUnavailable(Exception):
    """The cache's server does not do what it is asked; `reason` says why, the message is for the client."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the cache's Redis cannot be used ({reason}): try again later")
        self.reason = reason


class InvalidRedisUrl(Exception):
    """A redis_url that cannot be used; the message does not show it, for there may be a password in it."""


class AudioCache(Protocol):
    """The audio of sentences by their key (`cache_key`). Arrays that go in or come out belong to both: never write."""

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None where there is none. Never raises, and never waits long."""

    def put(self, key: str, pcm: Pcm) -> None:
        """Keep the audio; in the background, and only if there is room for it. Only from the event loop."""

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete what is kept under these keys; returns how much that was. Raises CacheUnavailable."""

    async def clear_model(self, digest: str) -> int:
        """Delete what is kept of the model with this digest; returns how much that was. Raises CacheUnavailable."""

    async def close(self) -> None:
        """End the connections and tasks; what has not been written yet is dropped."""


class Observer(Protocol):
    """Who counts what happens in a cache: the worker's Metrics."""

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        """Sentences were looked up."""

    def cache_failed(self, reason: Reason) -> None:
        """The cache did not do what it was asked."""

    def cache_available(self, *, available: bool) -> None:
        """The cache is asked from now on, or is not."""
