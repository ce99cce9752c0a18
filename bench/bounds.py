"""`make bench-bounds`: CPU time against length, for everything that reads what a client sends.

Each step gets hostile and plain inputs of doubling lengths. A step whose time grows like a power of the length above
`SUSPECT` is marked: with a long input it would stop the event loop. Writes docs/bench/bounds.json, and prints for each
step its slowest input and the one with the highest exponent. Run from the repository's root: `python -m bench.bounds`.
"""

from __future__ import annotations

import argparse
import gc
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench import hostile
from bench.report import Row, say, write_results
from ttsworker.speech.errors import InvalidRequest
from ttsworker.text.markup import InvalidMarkup

ROOT = Path(__file__).parents[1]

LENGTHS = (4_096, 8_192, 16_384, 32_768, 65_536)
QUICK_LENGTHS = (1_024, 2_048, 4_096)
SUSPECT = 1.3
CERTAIN_SECONDS = 0.001
"""Shorter times say more about the machine than about the length."""
STEADY_SECONDS = 0.02
"""Such a time needs no second run."""
LONG_ENOUGH_SECONDS = 0.2
"""After such a time longer inputs are left out: the exponent is known by then."""


@dataclass(frozen=True)
class Measured:
    """What one step costs with one input."""

    step: str
    shape: str
    length: int
    seconds: float
    exponent: float | None
    """None where all times are too short to fit one."""

    @property
    def suspect(self) -> bool:
        """Whether the time grows clearly faster than the length."""
        return self.exponent is not None and self.exponent > SUSPECT


def exponent(lengths: Sequence[int], seconds: Sequence[float]) -> float | None:
    """Fit seconds = constant * length ** exponent by least squares, to the times that are long enough."""
    points = [
        (math.log(length), math.log(taken))
        for length, taken in zip(lengths, seconds, strict=True)
        if taken >= CERTAIN_SECONDS
    ]
    if len(points) < 2:
        return None
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    slope: float = sum((x - mean_x) * (y - mean_y) for x, y in points)
    spread: float = sum((x - mean_x) ** 2 for x, _ in points)
    return slope / spread


def cpu_seconds(step: Callable[[str], object], text: str, *, repeats: int = 3) -> float:
    """Return the least CPU time of a few runs; a refusal counts like an answer."""
    times = []
    for _ in range(repeats):
        began = time.thread_time()
        with suppress(ValueError, InvalidRequest, InvalidMarkup):
            step(text)
        times.append(time.thread_time() - began)
        if times[-1] > STEADY_SECONDS:
            break
    return min(times)


def measure(lengths: Sequence[int], only: str | None = None) -> Iterator[Measured]:
    """Yield what each step costs with each of its inputs."""
    for name, step, shapes in hostile.STEPS:
        if only not in {None, name}:
            continue
        say(name)
        for shape in shapes:
            taken: list[float] = []
            while len(taken) < len(lengths) and (not taken or taken[-1] < LONG_ENOUGH_SECONDS):
                taken.append(cpu_seconds(step, shape.of(lengths[len(taken)])))
            measured = lengths[: len(taken)]
            yield Measured(name, shape.name, measured[-1], taken[-1], exponent(measured, taken))


def worst(measured: Sequence[Measured]) -> list[Measured]:
    """Return the rows to print: each step's slowest input, its highest exponent, and whatever is suspect."""
    rows: dict[Measured, None] = {}
    for step in dict.fromkeys(each.step for each in measured):
        mine = [each for each in measured if each.step == step]
        rows[max(mine, key=lambda each: each.seconds)] = None
        rows[max(mine, key=lambda each: each.exponent or 0.0)] = None
        rows |= dict.fromkeys(each for each in mine if each.suspect)
    return list(rows)


def table(rows: Sequence[Measured]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| step | input | length | CPU ms | exponent | |", "|---|---|---|---|---|---|"]
    for row in rows:
        fitted = "too fast" if row.exponent is None else f"{row.exponent:.2f}"
        mark = "grows too fast" if row.suspect else ""
        lines.append(f"| {row.step} | {row.shape} | {row.length} | {row.seconds * 1000:.1f} | {fitted} | {mark} |")
    return "\n".join(lines)


def _row(measured: Measured) -> Row:
    """Return a row for the report: its ratio is the growth while the length doubles, 2 for a linear step."""
    milliseconds = measured.seconds * 1000
    half = None if measured.exponent is None else milliseconds / 2**measured.exponent
    return Row(f"{measured.step}: {measured.shape}", milliseconds, "ms", "at half the length", half)


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="CPU time against length of every parser and text step")
    parser.add_argument("--quick", action="store_true", help="short inputs, to see that it works")
    parser.add_argument("--only", choices=[name for name, *_ in hostile.STEPS], help="one step; written to build/bench")
    options = parser.parse_args()
    logging.disable()
    gc.disable()
    lengths = QUICK_LENGTHS if options.quick else LENGTHS
    measured = list(measure(lengths, options.only))
    path = ROOT / ("build/bench" if options.quick or options.only else "docs/bench") / "bounds.json"
    write_results(path, [_row(each) for each in worst(measured)], length=lengths[-1], quick=options.quick)
    print(table(worst(measured)))


if __name__ == "__main__":
    main()
