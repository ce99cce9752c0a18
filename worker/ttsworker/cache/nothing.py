"""The cache when caching is off."""

from collections.abc import Sequence

from ttsworker.audio import Pcm


class NoCache:
    """An AudioCache that stores nothing and counts nothing."""

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return None for each key."""
        return [None] * len(keys)

    def put(self, key: str, pcm: Pcm) -> None:
        """Do nothing."""

    async def clear(self, keys: Sequence[str]) -> int:  # noqa: ARG002 - the protocol's signature
        """Return 0: there was nothing to delete."""
        return 0

    async def clear_model(self, digest: str, owner: str = "") -> int:  # noqa: ARG002 - the protocol's signature
        """Return 0: there was nothing to delete."""
        return 0

    async def close(self) -> None:
        """Do nothing."""
