"""Where one sentence of a streamed text meets the next: how long it is silent there, and whether it clicks.

The joins are found without being told: each sentence is also asked for by itself, and looked for in the stream.
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
"""Beyond it listeners take a pause for the end, or for a fault."""

CLICK = 0.02
"""A jump between two samples at a join, in parts of full scale, that is heard as a click: speech is silent there."""

LEAST_LIKENESS = 0.9
"""Correlation at which a part of the stream is taken for the sentence."""


@dataclass(frozen=True)
class Join:
    """What is between the last sound of a sentence and the first of the next one."""

    silence_seconds: float
    """The longest silence, as heard: with the stalls in it."""
    step: float
    """The largest jump from one sample to the next, in parts of full scale."""

    @property
    def clicks(self) -> bool:
        """Whether the jump is heard."""
        return self.step > CLICK


def joins(text: Reception, sentences: Sequence[Pcm]) -> list[Join]:
    """The joins of a text whose sentences sound like these when each is spoken alone.

    Raises ValueError when one of them is not in the stream, in this order.
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
    """Where in the stream, from a position on, the sentence begins; raises ValueError when it is not there."""
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
        # With one sample of either side: a sentence that is cut off jumps from its last sample to the silence.
        step=largest_step(text.samples[max(0, end - 1) : start + 1]),
    )
