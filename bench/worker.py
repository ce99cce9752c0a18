"""`make bench-worker`: compares the worker with Coqui's server and with its own engine, and measures how it sounds.

Every figure has a reference from the same run on the same machine; the benchmark reports ratios and asserts nothing.
Writes docs/bench/worker.json and a chart beside it and prints the table; `--quick` is for trying, in under a minute,
and writes to build/bench. Run from the repository's root: `python -m bench.worker`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from bench import chart, embedded, versus
from bench.report import Row, say, table, write_results
from ttsworker.engines.cpu import cpu_limit

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/bench"
BUILD = ROOT / "build/bench"
SECTIONS = ("coqui", "embedded")


def coqui_effort(cpus: int, *, quick: bool) -> versus.Effort:
    """About six minutes on two CPUs; `quick`: half a minute."""
    if quick:
        return versus.Effort("tiny", cpus, rounds=1, requests={1: 2, 4: 8}, seconds=3.0)
    return versus.Effort("voice", cpus, rounds=2, requests={1: 8, 4: 16, 16: 32}, seconds=30.0)


def embedded_effort(cpus: int, *, quick: bool) -> embedded.Effort:
    """About four minutes on two CPUs; `quick`: a quarter of a minute."""
    if quick:
        return embedded.Effort(
            cpus, rounds=1, sentences=20, cached=3, idle_clients=5, streams={1: 2, 4: 4}, joined_texts=1
        )
    return embedded.Effort(
        cpus, rounds=3, sentences=300, cached=20, idle_clients=200, streams={1: 8, 4: 24, 16: 48}, joined_texts=5
    )


def measure(sections: list[str], *, quick: bool) -> list[Row]:
    """Return all rows; the servers' logs stay in build/bench."""
    cpus = cpu_limit()
    BUILD.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    if "coqui" in sections:
        rows += versus.compare(BUILD, coqui_effort(cpus, quick=quick))
    if "embedded" in sections:
        rows += embedded.measure(BUILD, embedded_effort(cpus, quick=quick))
    return rows


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description="Benchmark of the worker")
    parser.add_argument("--quick", action="store_true", help="few requests and a tiny voice, to see that it works")
    parser.add_argument("--only", choices=SECTIONS, help="one half of it; written to build/bench as well")
    options = parser.parse_args()
    began = time.monotonic()
    rows = measure([options.only] if options.only else list(SECTIONS), quick=options.quick)
    say(f"done in {time.monotonic() - began:.0f} s")
    folder = BUILD if options.quick or options.only else RESULTS
    write_results(folder / "worker.json", rows, quick=options.quick)
    (folder / "worker.svg").write_text(chart.draw(rows, "tts-operator's worker", "Coqui tts-server"), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
