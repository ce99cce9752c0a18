"""The in-process cache, used without a Redis: keeps the most recently used audio, up to a number of bytes.

It does not compress, so a hit costs no time. To keep more audio, use Redis.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from ttsworker.audio import Pcm
from ttsworker.cache.interface import Observer
from ttsworker.cache.keys import audio_prefix

ENTRY_BYTES = 512
"""Memory of an entry besides its samples: its key, the array's header, its place in the dictionary."""


class MemoryCache:
    """Keeps at most `max_bytes` of audio, each for `ttl` seconds of `clock`; evicts the least recently used."""

    def __init__(self, *, max_bytes: int, ttl: float, clock: Callable[[], float], observer: Observer) -> None:
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._clock = clock
        self._observer = observer
        self._entries: OrderedDict[str, tuple[float, Pcm]] = OrderedDict()
        self.bytes = 0

    async def get_many(self, keys: Sequence[str]) -> list[Pcm | None]:
        """Return the audio of each key, None for a miss."""
        found = [self._get(key) for key in keys]
        misses = sum(pcm is None for pcm in found)
        self._observer.cache_looked_up(hits=len(found) - misses, misses=misses)
        return found

    def put(self, key: str, pcm: Pcm) -> None:
        """Store a copy of the audio, which may be a slice of a much larger array."""
        self._remove(key)
        size = pcm.nbytes + ENTRY_BYTES
        if size > self._max_bytes:
            return
        while self.bytes + size > self._max_bytes:
            self._remove(next(iter(self._entries)))
        copy = pcm.copy()
        copy.flags.writeable = False
        self._entries[key] = self._clock() + self._ttl, copy
        self.bytes += size

    async def clear(self, keys: Sequence[str]) -> int:
        """Delete the audio of these keys; return how many existed."""
        selected = self._entries.keys() & set(keys)
        for name in selected:
            self._remove(name)
        return len(selected)

    async def clear_model(self, digest: str, owner: str = "") -> int:
        """See AudioCache."""
        prefix = audio_prefix(digest, owner)
        return await self.clear([name for name in self._entries if name.startswith(prefix)])

    async def close(self) -> None:
        """Free the memory."""
        self._entries.clear()
        self.bytes = 0

    def _get(self, key: str) -> Pcm | None:
        if key not in self._entries:
            return None
        expires, pcm = self._entries[key]
        if expires <= self._clock():
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return pcm

    def _remove(self, key: str) -> None:
        _, pcm = self._entries.pop(key, (0.0, None))
        if pcm is not None:
            self.bytes -= pcm.nbytes + ENTRY_BYTES
