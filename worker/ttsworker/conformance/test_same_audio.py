"""An utterance decides its audio, and nothing else does: the worker caches audio, shares it and merges calls."""

from collections.abc import Callable
from dataclasses import replace

from ttsworker.conformance.checks import check_same, speak, speak_streamed, unlike_utterances
from ttsworker.engines import Engine

LARGEST_BATCH = 8
"""Utterances of a batch that are enough to show that a batch mixes nothing."""


def test_the_same_again(engine: Engine) -> None:
    """An utterance has the same audio when it is spoken again."""
    for utterance in unlike_utterances(engine, 3):
        check_same(speak(engine, utterance), speak(engine, utterance))


def test_the_same_in_another_process(load: Callable[[], Engine]) -> None:
    """Randomness comes from the seed of the utterance: two engines that are new speak alike."""
    [utterance] = unlike_utterances(load(), 1)
    check_same(speak(load(), utterance), speak(load(), utterance))


def test_the_same_for_every_owner(engine: Engine) -> None:
    """Whose request it is decides nothing."""
    check_same(speak(engine, replace(engine.probe, owner="somebody")), speak(engine, engine.probe))


def test_the_same_in_a_batch(engine: Engine) -> None:
    """A batch gives the audio of each utterance, in order, as if each were alone."""
    batch = unlike_utterances(engine, max(2, min(engine.max_batch_size, LARGEST_BATCH)))
    together = engine.synthesize(batch)
    assert len(together) == len(batch), f"{len(together)} pieces of audio for {len(batch)} utterances"
    for utterance, audio in zip(batch, together, strict=True):
        check_same(audio, speak(engine, utterance))


def test_the_same_in_pieces(engine: Engine) -> None:
    """The pieces of `stream`, one after another, are the audio of `synthesize`."""
    for utterance in unlike_utterances(engine, 3):
        check_same(speak_streamed(engine, utterance), speak(engine, utterance))


def test_the_same_after_all_others(load: Callable[[], Engine]) -> None:
    """No request leaves a trace: neither its voice nor its speed, seed or language."""
    engine = load()
    utterances = unlike_utterances(engine, 6)
    first = speak(engine, engine.probe)
    for utterance in utterances:
        speak(engine, utterance)
    check_same(speak(engine, engine.probe), first)
