"""The engine without a server: a separate program that speaks sentences as fast as its threads can.

`python -m bench.bare` reads {"engine", "threads", "sentences"} from standard input and writes the seconds it took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ttsworker.engines import EngineOptions, Utterance, find_engine

LIMIT_SECONDS = 240.0


def run(engine: str, threads: int, sentences: Sequence[str]) -> float:
    """Return the seconds to speak all sentences, without loading and warm-up."""
    plan = {"engine": engine, "threads": threads, "sentences": list(sentences)}
    command = [sys.executable, "-m", "bench.bare"]
    done = subprocess.run(
        command, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Load, warm up, speak, print the time."""
    plan = json.load(sys.stdin)
    engine = find_engine(plan["engine"])(EngineOptions(threads=plan["threads"]))
    engine.load()
    voice = engine.voices[0].name

    def speak(sentence: str) -> int:
        return sum(len(piece) for piece in engine.stream(Utterance(sentence, voice)))

    with ThreadPoolExecutor(engine.parallelism) as threads:
        list(threads.map(speak, [engine.probe.text] * 2 * engine.parallelism))
        began = time.perf_counter()
        spoken = list(threads.map(speak, plan["sentences"]))
        seconds = time.perf_counter() - began
    assert all(spoken), "a sentence became no audio"
    print(seconds)


if __name__ == "__main__":
    main()
