"""The figures of a load, each computed over all its rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bench.load import Answer, Load

Loads = Sequence[Load]


def requests_per_second(loads: Loads) -> float:
    """Return the number of answers divided by the total time."""
    return sum(len(load.answers) for load in loads) / sum(load.seconds for load in loads)


def speech_per_second(loads: Loads) -> float:
    """Return seconds of speech per second, without the silence that a server adds."""
    return sum(load.speech_seconds for load in loads) / sum(load.seconds for load in loads)


def percentile(share: float, read: Callable[[Answer], float]) -> Callable[[Loads], float]:
    """Return a figure: the value below which `share` per cent of the answers' values are."""

    def figure(loads: Loads) -> float:
        return float(np.percentile([read(answer) for load in loads for answer in load.answers], share))

    return figure


def mean(read: Callable[[Answer], float]) -> Callable[[Loads], float]:
    """Return a figure: the mean of the answers' values."""

    def figure(loads: Loads) -> float:
        return float(np.mean([read(answer) for load in loads for answer in load.answers]))

    return figure


FIGURES: Sequence[tuple[str, str, Callable[[Loads], float]]] = (
    ("requests per second", "/s", requests_per_second),
    ("speech per second", "s/s", speech_per_second),
    ("median latency", "s", percentile(50, lambda answer: answer.total)),
    ("95 % latency", "s", percentile(95, lambda answer: answer.total)),
    ("first audio, median", "s", percentile(50, lambda answer: answer.first_audio)),
    ("first audible sound, median", "s", percentile(50, lambda answer: answer.first_audible)),
    ("stalls while played, mean", "s", mean(lambda answer: answer.stalled_seconds)),
)
"""Name, unit and function of each figure."""
