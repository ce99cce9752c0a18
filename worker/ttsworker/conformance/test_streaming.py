"""What `stream` promises beside its audio."""

from dataclasses import replace

import pytest

from ttsworker.conformance.checks import check_same, long_text, speak, speak_streamed
from ttsworker.engines import Engine, Utterance

EARLY = 0.5
"""Of an utterance's audio: the first piece of an engine that streams has no more."""


def longest(engine: Engine) -> Utterance:
    """Return an utterance of as many characters as the engine takes."""
    return replace(engine.probe, text=long_text(engine, engine.max_characters))


def test_what_streams_comes_in_pieces(engine: Engine) -> None:
    """Where `streams` is true the first piece of a long utterance is a small part of it."""
    if not engine.streams:
        pytest.skip("the engine says that it does not stream")
    sizes = [len(piece) for piece in engine.stream(longest(engine)) if len(piece)]
    assert sizes[0] <= EARLY * sum(sizes), f"the first piece is {sizes[0]} of {sum(sizes)} samples"


@pytest.mark.parametrize("pieces", [0, 1], ids=["before the first piece", "after the first piece"])
def test_a_stream_may_be_closed_early(engine: Engine, pieces: int) -> None:
    """Where the client leaves, the worker closes the iterator; the engine speaks on as before."""
    before = speak(engine, engine.probe)
    stream = iter(engine.stream(longest(engine)))
    for _ in range(pieces):
        next(stream)
    if close := getattr(stream, "close", None):
        close()
    del stream
    check_same(speak(engine, engine.probe), before)
    check_same(speak_streamed(engine, engine.probe), before)
