"""The judge of speech must itself be judged: it names what is spoken and refuses everything else."""

import io
import wave

import numpy as np
import numpy.typing as npt
import pytest
from hibari import SAMPLE_RATE, Hibari

from tests.support.judge import SENTENCES, recognise

Audio = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def voice() -> Hibari:
    return Hibari()


def as_wav(audio: Audio, rate: int = SAMPLE_RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


@pytest.mark.parametrize("sentence", SENTENCES)
def test_names_each_sentence_of_the_embedded_voice(voice: Hibari, sentence: str) -> None:
    assert recognise(as_wav(voice(sentence.capitalize() + "."))) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog.",
        "Kubernetes is an orchestration system for containers.",
        "My sister plays the violin every night.",
        "A warm wind blew across the open field.",
        "Hello world.",
        "Hello from.",
    ],
)
def test_rejects_another_sentence(voice: Hibari, text: str) -> None:
    assert recognise(as_wav(voice(text))) is None


def noise(seconds: float, deviation: float) -> Audio:
    return np.random.default_rng(1).normal(0, deviation, int(seconds * SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(2 * SAMPLE_RATE), id="silence"),
        pytest.param(np.zeros(0), id="nothing"),
        pytest.param(noise(2, 0.1), id="noise"),
        pytest.param(noise(2, 0.5), id="loud noise"),
        pytest.param(0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE), id="tone"),
    ],
)
def test_rejects_a_sound_without_words(sound: Audio) -> None:
    assert recognise(as_wav(sound)) is None


def test_rejects_speech_played_wrongly(voice: Hibari) -> None:
    speech = voice(SENTENCES[0])
    assert recognise(as_wav(speech[::-1])) is None, "backwards"
    assert recognise(as_wav(speech[: len(speech) // 2])) is None, "cut in half"
    assert recognise(as_wav(speech[::2])) is None, "twice as fast"


def test_hears_through_a_little_noise(voice: Hibari) -> None:
    speech = voice(SENTENCES[0])
    assert recognise(as_wav(speech + noise(len(speech) / SAMPLE_RATE, 0.01)[: len(speech)])) == SENTENCES[0]


def test_refuses_stereo() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setnchannels(2)
        recording.setsampwidth(2)
        recording.setframerate(SAMPLE_RATE)
        recording.writeframes(b"\0" * 400)
    with pytest.raises(ValueError, match="mono"):
        recognise(file.getvalue())
