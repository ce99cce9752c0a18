"""What tests of the cache share."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ttsworker.audio import Pcm
from ttsworker.cache import Reason

SAMPLE_RATE = 24_000


@dataclass
class Counted:
    """An Observer that keeps what is reported to it."""

    hits: int = 0
    misses: int = 0
    failures: Counter[Reason] = field(default_factory=Counter)
    available: list[bool] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        """Whether Redis is used at present."""
        return self.available[-1:] == [True]

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        self.hits += hits
        self.misses += misses

    def cache_failed(self, reason: Reason) -> None:
        self.failures[reason] += 1

    def cache_available(self, *, available: bool) -> None:
        self.available.append(available)


def tone(seconds: float, pitch: float = 220.0) -> Pcm:
    """Return a tone with a little noise, always the same."""
    count = round(seconds * SAMPLE_RATE)
    noise = np.random.default_rng(0).normal(0, 30, count)
    wave: Pcm = (8000 * np.sin(2 * np.pi * pitch * np.arange(count) / SAMPLE_RATE) + noise).astype(np.int16)
    return wave
