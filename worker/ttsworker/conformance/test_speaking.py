"""What an engine does with one utterance."""

from dataclasses import replace

import pytest

from ttsworker.conformance.checks import check_form, differ, long_text, some_voices, speak
from ttsworker.engines import Engine
from ttsworker.models.warmup import NotAudible, warm_up

FASTEST, SLOWEST = 2.0, 0.5

LOWEST_ESTIMATE, HIGHEST_ESTIMATE = 0.6, 3.0
"""Of the length that the audio then has: the worker admits requests by it."""


def test_the_test_sentence_is_audible(engine: Engine) -> None:
    """As the worker judges it: neither silent nor much too short or too long."""
    try:
        warm_up(engine)
    except NotAudible as error:
        pytest.fail(str(error))


def test_the_audio_has_the_right_form(engine: Engine) -> None:
    """Mono samples of 32 bits between -1 and 1, whole and in pieces."""
    for audio in (*engine.synthesize([engine.probe]), *engine.stream(engine.probe)):
        check_form(audio)


def test_every_voice_has_its_sound(engine: Engine) -> None:
    """No two voices sound alike."""
    spoken = [(voice.name, speak(engine, replace(engine.probe, voice=voice.name))) for voice in some_voices(engine)]
    if len(spoken) == 1:
        pytest.skip("the model has one voice")
    for number, (name, audio) in enumerate(spoken):
        for other_name, other in spoken[:number]:
            assert differ(audio, other), f"{name} sounds as {other_name} does"


def test_every_language_is_spoken(engine: Engine) -> None:
    """Each of `languages`; None leaves the choice to the engine."""
    if not engine.languages:
        pytest.skip("the model has no choice of languages")
    for language in (None, *engine.languages):
        assert len(speak(engine, replace(engine.probe, language=language))), f"nothing is spoken in {language}"


def test_the_longest_utterance_is_spoken_whole(engine: Engine) -> None:
    """Nothing of `max_characters` characters is cut."""
    half, whole = (
        speak(engine, replace(engine.probe, text=long_text(engine, characters)))
        for characters in (engine.max_characters // 2, engine.max_characters)
    )
    assert len(whole) > 1.4 * len(half), "its second half is missing"


def test_speed_has_its_effect(engine: Engine) -> None:
    """2.0 speaks about twice as fast, 0.5 half as fast."""
    fast, normal, slow = (len(speak(engine, replace(engine.probe, speed=s))) for s in (FASTEST, 1.0, SLOWEST))
    assert 1.3 * fast < normal < slow / 1.3, f"{fast} samples when fast, {normal}, {slow} when slow"


@pytest.mark.parametrize("speed", [SLOWEST, 1.0, FASTEST])
def test_the_estimate_is_close(engine: Engine, speed: float) -> None:
    """`estimate_seconds` is never far below the length of the audio, nor far above it."""
    for characters in (len(engine.probe.text), engine.max_characters):
        utterance = replace(engine.probe, text=long_text(engine, characters), speed=speed)
        seconds = len(speak(engine, utterance)) / engine.sample_rate
        estimate = engine.estimate_seconds(utterance)
        assert LOWEST_ESTIMATE * seconds <= estimate <= HIGHEST_ESTIMATE * seconds, (
            f"{estimate:.2f} s are estimated for {seconds:.2f} s of audio"
        )
