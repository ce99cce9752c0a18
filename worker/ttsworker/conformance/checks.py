"""What several rules look at: the form of audio, and whether two pieces of audio are the same."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ttsworker.audio import Audio
from ttsworker.engines import Engine, Utterance, Voice

TOLERANCE = 1e-4
"""Of full scale: -80 dB, which nobody hears. Sums of floating point numbers differ that little with their order."""

IN_ORDER: dict[str, Callable[[object], bool]] = {
    "model_name": lambda value: isinstance(value, str) and bool(value.strip()),
    "revision": lambda value: isinstance(value, str) and bool(value.strip()),
    "device": lambda value: value in {"cpu", "cuda"},
    "sample_rate": lambda value: isinstance(value, int) and 8_000 <= value <= 96_000,
    "parallelism": lambda value: isinstance(value, int) and value >= 1,
    "max_batch_size": lambda value: isinstance(value, int) and value >= 1,
    "max_characters": lambda value: isinstance(value, int) and value >= 50,
    "streams": lambda value: isinstance(value, bool),
    "reads_signs": lambda value: isinstance(value, bool),
    "pause_seconds": lambda value: isinstance(value, float) and math.isfinite(value) and 0 <= value <= 2,
}
"""For each fact whether its value is in order."""

MOST_VOICES = 4
"""Of a model with hundreds: that many show whether voices are told apart."""


def speak(engine: Engine, utterance: Utterance) -> Audio:
    """Return an utterance's audio."""
    [audio] = engine.synthesize([utterance])
    return audio


def speak_streamed(engine: Engine, utterance: Utterance) -> Audio:
    """Return the pieces of an utterance as one."""
    return np.concatenate([np.zeros(0, np.float32), *engine.stream(utterance)])


def check_form(audio: Audio) -> None:
    """Fail where audio is not mono samples in 32 bits, finite and between -1 and 1."""
    assert isinstance(audio, np.ndarray), f"audio is an array of numpy, not {type(audio)}"
    assert audio.dtype == np.float32, f"samples are float32, not {audio.dtype}"
    assert audio.ndim == 1, f"audio is mono, of one dimension, not of the shape {audio.shape}"
    assert np.isfinite(audio).all(), "there are samples that are not finite numbers"
    assert not len(audio) or np.abs(audio).max() <= 1 + TOLERANCE, "there are samples beyond -1 to 1"


def check_same(audio: Audio, expected: Audio) -> None:
    """Fail where somebody could hear a difference."""
    assert len(audio) == len(expected), f"{len(audio)} samples instead of {len(expected)}"
    difference = float(np.abs(audio - expected).max(initial=0.0))
    assert difference <= TOLERANCE, f"samples differ by up to {difference:.5f} of full scale"


def differ(one: Audio, other: Audio) -> bool:
    """Return whether two pieces of audio are not the same."""
    return len(one) != len(other) or float(np.abs(one - other).max(initial=0.0)) > TOLERANCE


def some_voices(engine: Engine) -> Sequence[Voice]:
    """Return the first voices of the model."""
    return engine.voices[:MOST_VOICES]


def long_text(engine: Engine, characters: int) -> str:
    """Return a text of exactly so many characters, in the language of the test sentence."""
    text = engine.probe.text
    return ((text + " ") * (characters // len(text) + 1))[:characters].rstrip().ljust(characters, ".")


def unlike_utterances(engine: Engine, count: int, first: int = 0) -> list[Utterance]:
    """Return utterances that differ in text, length, voice, language, speed and seed; `first` is the first seed."""
    voices, languages = some_voices(engine), engine.languages or (None,)
    words = engine.probe.text.split()
    longest = min(engine.max_characters, 2 * len(engine.probe.text))
    utterances = []
    for number in range(count):
        seed = first + number
        turn = seed % len(words)
        text = " ".join((words[turn:] + words[:turn]) * 2)[: longest * (number % 3 + 1) // 3]
        utterances.append(
            Utterance(
                text=text,
                voice=voices[number % len(voices)].name,
                language=languages[number % len(languages)],
                speed=(1.0, 1.5, 0.75)[number % 3],
                seed=seed,
            )
        )
    return utterances
