"""Audio samples: the engines' output, and the form in which the rest of the worker handles it."""

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
"""Mono samples of an engine, -1 to 1, at the engine's sample rate."""

Pcm = npt.NDArray[np.int16]
"""The same samples as signed 16 bit. The worker caches, resamples and encodes these, so that all paths sound equal."""

SAMPLE_BYTES = 2
"""Of 16 bit samples."""

FULL_SCALE = 32767.0


def to_pcm(samples: Audio) -> Pcm:
    """Return the samples as 16 bit; clip values outside -1 to 1."""
    pcm: Pcm = (np.clip(samples, -1.0, 1.0) * FULL_SCALE).astype(np.int16)
    return pcm


def silence(seconds: float, sample_rate: int) -> Pcm:
    """Return this many seconds of silence."""
    return np.zeros(round(seconds * sample_rate), np.int16)
