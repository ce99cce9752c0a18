"""The cache of those who want none."""

from collections.abc import Sequence

from ttsworker.audio import Pcm


class NoCache:
    """An AudioCache that keeps nothing, and counts nothing."""

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return None for each key."""
        return [None] * len(keys)

    def put(self, key: str, pcm: Pcm) -> None:
        """Do nothing."""

    async def clear(self, *, key: str | None = None, model: str | None = None) -> int:
        """Return 0: there was nothing to delete."""
        if (key is None) == (model is None):
            raise ValueError("give either a key or a model")
        return 0

    async def close(self) -> None:
        """Do nothing."""
