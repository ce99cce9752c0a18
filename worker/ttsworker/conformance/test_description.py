"""What an engine says of itself: clients, metrics, the cache and the scheduler rely on it."""

import re
from collections.abc import Callable

import pytest

from ttsworker.conformance.checks import IN_ORDER, speak
from ttsworker.engines import Engine

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""The form of a BCP 47 tag."""


@pytest.mark.parametrize("fact", IN_ORDER)
def test_the_facts_are_in_order(engine: Engine, fact: str) -> None:
    """Every attribute of the protocol is there, with a value that the worker can use."""
    assert IN_ORDER[fact](getattr(engine, fact)), f"{fact} is {getattr(engine, fact)!r}"


def test_the_voices_are_named(engine: Engine) -> None:
    """There is a voice; names are unique; the language is a BCP 47 tag."""
    names = [voice.name for voice in engine.voices]
    assert names, "there is no voice"
    assert all(names), "a voice has no name"
    assert len(set(names)) == len(names), "two voices have the same name"
    for voice in engine.voices:
        assert LANGUAGE.fullmatch(voice.language), f"{voice.language!r} of {voice.name} is no BCP 47 tag, such as en-US"


def test_the_languages_are_named(engine: Engine) -> None:
    """Names of languages are unique; where there is nothing to choose there are none."""
    assert all(engine.languages), "a language has no name"
    assert len(set(engine.languages)) == len(engine.languages), "two languages have the same name"
    assert len(engine.languages) != 1, "one language is nothing to choose: leave it out"


def test_the_test_sentence_is_one_of_its_own(engine: Engine) -> None:
    """The probe is short, in a voice and a language of the model."""
    probe = engine.probe
    assert 10 <= len(probe.text) <= min(100, engine.max_characters), "it has about 30 characters"
    assert probe.voice in {voice.name for voice in engine.voices}, "its voice is not one of the model's"
    assert probe.language is None or probe.language in engine.languages, "its language is not one of the model's"


def test_the_description_is_always_the_same(engine: Engine, load: Callable[[], Engine]) -> None:
    """Two workers of one model agree: they share a cache, and a client may speak with either."""
    facts = (*IN_ORDER, "voices", "languages", "probe")
    other = load()
    changed = [fact for fact in facts if getattr(engine, fact) != getattr(other, fact)]
    assert not changed, f"it differs in another engine of the same model: {', '.join(changed)}"


def test_gpu_memory_is_told_where_there_is_one(engine: Engine) -> None:
    """`peak_gpu_memory` is bytes on a GPU, and None on a CPU."""
    speak(engine, engine.probe)
    peak = engine.peak_gpu_memory()
    assert (peak is not None and peak > 0) if engine.device == "cuda" else peak is None
