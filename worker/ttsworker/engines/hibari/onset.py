"""Where speech begins: the voices put about 0.3 s of silence before every sentence, which a listener would wait for."""

import numpy as np
from hibari import SAMPLE_RATE

from ttsworker.audio import Audio

FRAME = SAMPLE_RATE // 200
"""Samples over which the level is measured: 5 ms."""

AUDIBLE_DB = -50.0
"""Against the loudest frame. The softest consonant, that of "thanks", begins there; the silence is softer."""

KEPT = SAMPLE_RATE // 50
"""Samples of silence that stay before the first sound, 20 ms: a consonant swells from nothing."""


def silent_samples(audio: Audio) -> int:
    """Return how many samples at the beginning nobody needs: all but the last 20 ms before the first sound."""
    frames = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    audible = np.flatnonzero(power > power.max(initial=0.0) * 10 ** (AUDIBLE_DB / 10))
    return max(0, int(audible[0]) * FRAME - KEPT) if len(audible) else 0
