"""Calls at once: the worker calls an engine from `parallelism` threads, and may have two models in memory."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ttsworker.audio import Audio
from ttsworker.conformance.checks import check_same, speak, speak_streamed, unlike_utterances
from ttsworker.engines import Engine

MOST_THREADS = 4

ROUNDS = 4
"""Utterances of each thread: the calls meet in more than one way."""

FIRST_SEED = 100


def check_at_once(engines: Sequence[Engine]) -> None:
    """Let each engine speak in a thread of its own; fail where something sounds as it does not sound alone."""
    utterances = unlike_utterances(engines[0], ROUNDS * len(engines), FIRST_SEED)
    start = threading.Barrier(len(engines))

    def run(number: int) -> list[Audio]:
        start.wait()
        mine = utterances[number :: len(engines)]
        return [(speak, speak_streamed)[turn % 2](engines[number], each) for turn, each in enumerate(mine)]

    with ThreadPoolExecutor(len(engines)) as threads:
        heard = list(threads.map(run, range(len(engines))))
    for number, engine in enumerate(engines):
        for utterance, audio in zip(utterances[number :: len(engines)], heard[number], strict=True):
            check_same(audio, speak(engine, utterance))


def test_calls_at_once_never_mix(engine: Engine) -> None:
    """As many calls as `parallelism` at once, in threads that did not load the model, each with its own audio."""
    check_at_once([engine] * min(engine.parallelism, MOST_THREADS))


def test_two_engines_never_mix(engine: Engine, load: Callable[[], Engine]) -> None:
    """Two models in memory share nothing: the worker loads the next one while the first one speaks."""
    check_at_once([engine, load()])
