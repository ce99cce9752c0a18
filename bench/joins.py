"""Measures silence and clicks where one sentence of a streamed text meets the next.

Finds the joins in the audio: it requests each sentence alone too, and searches for it in the stream.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.quality import Pcm, Reception, audible_span, largest_step, longest_silence, stalls

NATURAL_PAUSE_SECONDS = 0.6
"""About what people pause between two sentences that they read aloud."""

LONGEST_NATURAL_PAUSE_SECONDS = 1.0
"""Listeners take a longer pause for the end, or for a fault."""

CLICK = 0.02
"""A jump between two samples at a join, as a fraction of full scale, that is audible as a click in the silence."""

LEAST_LIKENESS = 0.9
"""Correlation from which a part of the stream counts as the sentence."""


@dataclass(frozen=True)
class Join:
    """The audio between the last sound of a sentence and the first of the next one."""

    silence_seconds: float
    """The longest audible silence, including stalls."""
    step: float
    """The largest jump from one sample to the next, as a fraction of full scale."""

    @property
    def clicks(self) -> bool:
        """Return whether the jump is audible."""
        return self.step > CLICK


def joins(text: Reception, sentences: Sequence[Pcm]) -> list[Join]:
    """Return the joins of a text; `sentences` has the audio of each sentence spoken alone.

    Raises ValueError if the stream does not contain all of them in this order.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for sentence in sentences:
        start, end = audible_span(sentence, text.sample_rate)
        found = find(text.samples, sentence[start:end], position)
        position = found + end - start
        spans.append((found, position))
    return [_join(text, end, start) for (_, end), (start, _) in itertools.pairwise(spans)]


def find(stream: Pcm, sentence: Pcm, after: int) -> int:
    """Return where in the stream, after a position, the sentence begins; raises ValueError if it is missing."""
    rest = stream[after:].astype(np.float64)
    wanted = sentence.astype(np.float64)
    places = len(rest) - len(wanted) + 1
    if places < 1 or not wanted.any():
        message = f"the stream ends before the sentence, or the sentence of {len(wanted)} samples is silent"
        raise ValueError(message)
    size = 1 << (len(rest) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(rest, size) * np.conj(np.fft.rfft(wanted, size)), size)[:places]
    energy = np.concatenate([[0.0], np.cumsum(np.square(rest))])
    window = np.sqrt(energy[len(wanted) :][:places] - energy[:places])
    likeness = product / np.maximum(window * np.linalg.norm(wanted), 1.0)
    best = int(np.argmax(likeness))
    if likeness[best] < LEAST_LIKENESS:
        message = f"a sentence is not in the stream as it sounds alone (likeness {likeness[best]:.2f})"
        raise ValueError(message)
    return after + best


def _join(text: Reception, end: int, start: int) -> Join:
    between = text.samples[end:start]
    stalled = sum(stall.seconds for stall in stalls(text) if end <= stall.position <= start)
    return Join(
        silence_seconds=longest_silence(between, text.sample_rate) + stalled,
        # With one sample on either side, because a truncated sentence jumps from its last sample to the silence.
        step=largest_step(text.samples[max(0, end - 1) : start + 1]),
    )
