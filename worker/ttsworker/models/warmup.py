"""The warm-up: a model speaks a test sentence before it is served. It shows that it is audible, and how fast it is."""

import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ttsworker.audio import FULL_SCALE, Audio, Pcm, to_pcm
from ttsworker.engines import Engine

SILENCE = 1e-3
"""Root mean square below which audio counts as silent: -60 dB of full scale."""

CHARACTERS_PER_SECOND = (2.0, 60.0)
"""The slowest and the fastest speech that passes the warm-up: slow Chinese, and more than twice the fastest English."""


class NotAudible(Exception):
    """The audio of the test sentence is silent, too short, too long or empty."""


@dataclass(frozen=True)
class Bounds:
    """Seconds between which the length of audio is right."""

    shortest: float
    longest: float


@dataclass(frozen=True)
class WarmUp:
    """What the warm-up measured. The real-time factor is seconds of work divided by seconds of audio.

    `peak_memory` is the most memory in bytes that the process has held, `peak_gpu_memory` the same of the GPU, or None.
    """

    real_time_factor: float
    first_audio_seconds: float
    audio_seconds: float
    peak_memory: int
    peak_gpu_memory: int | None

    @property
    def bounds(self) -> Bounds:
        """Return the lengths that a later check of the same sentence may have."""
        return Bounds(self.audio_seconds / 2, self.audio_seconds * 2)


def warm_up(engine: Engine) -> WarmUp:
    """Speak the test sentence twice and measure the second time, after all lazy loading; raises NotAudible."""
    slowest, fastest = CHARACTERS_PER_SECOND
    bounds = Bounds(len(engine.probe.text) / fastest, len(engine.probe.text) / slowest)
    judge(map(_finite_pcm, engine.synthesize([engine.probe])), engine.sample_rate, bounds)
    started = time.perf_counter()
    pieces = []
    first = 0.0
    for piece in engine.stream(engine.probe):
        first = first or time.perf_counter() - started
        pieces.append(_finite_pcm(piece))
    seconds = judge(pieces, engine.sample_rate, bounds)
    factor = (time.perf_counter() - started) / seconds
    return WarmUp(factor, first, seconds, peak_memory(), engine.peak_gpu_memory())


def judge(pieces: Iterable[Pcm], sample_rate: int, bounds: Bounds) -> float:
    """Return the length of the audio in seconds; raises NotAudible when it is not that of a test sentence."""
    audio = np.concatenate([np.zeros(0, np.int16), *pieces])
    seconds = len(audio) / sample_rate
    if not bounds.shortest <= seconds <= bounds.longest or not len(audio):
        right = f"{bounds.shortest:.2f} to {bounds.longest:.2f} s"
        raise NotAudible(f"the audio of the test sentence lasts {seconds:.2f} s instead of {right}")
    level = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) / FULL_SCALE
    if level <= SILENCE:
        raise NotAudible(f"the audio of the test sentence is silent (level {level:.5f})")
    return seconds


def peak_memory() -> int:
    """Return the most bytes of memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def _finite_pcm(piece: Audio) -> Pcm:
    if not np.isfinite(piece).all():
        raise NotAudible("the audio of the test sentence has samples that are not finite numbers")
    return to_pcm(piece)
