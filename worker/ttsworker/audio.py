"""Samples: what engines give, and what everything behind them handles."""

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]
"""Mono samples of an engine, -1 to 1, at its sample rate."""

Pcm = npt.NDArray[np.int16]
"""The same as signed 16 bit: what is cached, resampled and encoded, so that no way to the client sounds another."""

FULL_SCALE = 32767.0


def to_pcm(samples: Audio) -> Pcm:
    """Return the samples as 16 bit; what is beyond -1 to 1 is clipped."""
    pcm: Pcm = (np.clip(samples, -1.0, 1.0) * FULL_SCALE).astype(np.int16)
    return pcm


def silence(seconds: float, sample_rate: int) -> Pcm:
    """Return so much silence."""
    return np.zeros(round(seconds * sample_rate), np.int16)
