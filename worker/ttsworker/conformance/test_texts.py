"""Texts that an engine may not expect. It speaks them, gives no audio, or raises Unspeakable; nothing else."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from unicodedata import normalize

import pytest

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED
from ttsworker.audio import Audio
from ttsworker.conformance.checks import check_form, check_same, speak, speak_streamed
from ttsworker.engines import Engine, Unspeakable, Utterance

LONGER_THAN_ANY = 10_000

TEXTS = {
    "empty": "",
    "spaces": " \t\n ",
    "a full stop": ".",
    "marks alone": "?!… — «» \"'",
    "one letter": "a",
    "digits": "7" * 50,
    "a number": "-1,234,567.89e+10",
    "accents": "naïve Ångström, İstanbul",
    "combining marks": "a" + "\u0301" * 20,
    "another script": "日本語 और हिन्दी",
    "right to left": "שלום مرحبا",
    "emoji": "👩‍👩‍👧 🇩🇪",
    "beyond the plane": "\U0001d573\U0001d58a \U00012000",
    "invisible": "\u200b\u2060\ufeff\u00ad",
    "markup": "<speak>&amp;{}[]|\\%s</speak>",
    "capitals": "NASA AND THE FBI",
    "a long word": "a" * LONGER_THAN_ANY,
    "many marks": "," * LONGER_THAN_ANY,
    "many words": "it is " * LONGER_THAN_ANY,
}
"""By what they are; the longest are cut to what the engine takes."""


def attempt(engine: Engine, utterance: Utterance) -> Audio | None:
    """Return the audio of an utterance, or None where the engine refuses it, whole as in pieces."""
    try:
        audio = speak(engine, utterance)
    except Unspeakable:
        with pytest.raises(Unspeakable):
            speak_streamed(engine, utterance)
        return None
    check_form(audio)
    check_same(speak_streamed(engine, utterance), audio)
    return audio


@pytest.mark.parametrize("what", TEXTS)
def test_any_text_is_spoken_or_refused(engine: Engine, what: str) -> None:
    """No text ends a call with another error than Unspeakable; what has no sound gives no samples."""
    attempt(engine, replace(engine.probe, text=TEXTS[what][: engine.max_characters]))


@pytest.mark.parametrize("speed", [MIN_SPEED, MAX_SPEED])
def test_any_speed_is_spoken(engine: Engine, speed: float) -> None:
    """The fastest and the slowest speech of the API is speech."""
    audio = attempt(engine, replace(engine.probe, speed=speed))
    assert audio is not None
    assert len(audio)


def test_a_refused_text_leaves_no_trace(load: Callable[[], Engine]) -> None:
    """After all of these texts, whatever became of them, the engine speaks as before."""
    engine = load()
    before = speak(engine, engine.probe)
    for text in TEXTS.values():
        with suppress(Exception):
            speak(engine, replace(engine.probe, text=text[: min(engine.max_characters, 50)]))
    check_same(speak(engine, engine.probe), before)


def test_what_is_left_out_is_named(engine: Engine) -> None:
    """`unspoken` has characters of the text, in order, and nothing of the test sentence; case and form may differ."""
    assert engine.unspoken(engine.probe) == ""
    for text in TEXTS.values():
        utterance = replace(engine.probe, text=text[: engine.max_characters])
        unspoken, rest = comparable(engine.unspoken(utterance)), iter(comparable(utterance.text))
        assert all(character in rest for character in unspoken), f"{unspoken!r} is not in {text[:50]!r} in this order"


def comparable(text: str) -> str:
    """Return the text composed and in lower case, as tokenizers see it."""
    return normalize("NFC", text).lower()
