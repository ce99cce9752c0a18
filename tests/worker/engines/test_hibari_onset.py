"""The silence before the embedded voice's first sound, which the engine leaves out."""

import io

import numpy as np
import pytest
import soundfile
from hibari import SAMPLE_RATE, Hibari

from bench.joins import joins
from bench.quality import Arrival, Reception, audible_span
from tests.support.judge import SENTENCES, recognise
from ttsworker.audio import Audio, Pcm, silence, to_pcm
from ttsworker.engines import Engine, EngineOptions, Utterance, find_engine
from ttsworker.engines.hibari.onset import silent_samples

SOFT = (
    *("He is here.", "Half of it.", "Who is there?", "Human.", "Hush now.", "Hmm.", "How?"),
    *("Thanks.", "Think.", "Thistle.", "Throw it.", "The end.", "Though."),
    *("For four.", "Forty.", "Fffine.", "Physics.", "Very funny.", "Vanish."),
    *("She sells sea shells.", "See.", "Shh.", "So what?", "Zoo.", "Zero.", "Cheese.", "Just so."),
    *("My name.", "No.", "Now.", "Why?", "We will.", "You.", "Yes.", "Long.", "Read.", "Please.", "Two.", "Cold."),
    *("Ah!", "Oh.", "It is.", "Eight.", "Under.", "Always."),
)
"""Sentences that begin softly, and some of each other kind."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    loaded = find_engine("hibari")(EngineOptions())
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def library() -> Hibari:
    return Hibari()


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.3, 2.0])
def test_it_speaks_as_the_library_does_without_the_silence_before_it(engine: Engine, speed: float) -> None:
    [ours] = engine.synthesize([Utterance("Hello from the cluster.", "heart", speed=speed, seed=7)])
    theirs = Hibari()("Hello from the cluster.", speed=speed, seed=7)
    assert 0.1 <= (len(theirs) - len(ours)) / engine.sample_rate * speed <= 0.4
    assert np.array_equal(ours, theirs[-len(ours) :])


@pytest.mark.parametrize("text", SOFT)
def test_a_soft_consonant_is_not_cut(library: Hibari, text: str) -> None:
    theirs = library(text, seed=0)
    cut = silent_samples(theirs)
    assert loudest_dbfs(theirs[:cut]) < -65
    start, _ = audible_span(to_pcm(theirs[cut:]), SAMPLE_RATE)
    assert start / SAMPLE_RATE <= 0.1  # the consonant of "thanks" swells for that long before it is loud


def test_the_first_sound_is_heard_at_once(engine: Engine) -> None:
    starts = [audible_span(to_pcm(speak(engine, sentence)), SAMPLE_RATE)[0] for sentence in SENTENCES]
    assert np.median(starts) / SAMPLE_RATE <= 0.03
    assert max(starts) / SAMPLE_RATE <= 0.08


def test_only_the_beginning_of_an_utterance_is_trimmed(engine: Engine, library: Hibari) -> None:
    """The library puts its pause between two sentences of one utterance; it is all that is between them."""
    text = "Hello from the cluster. There is no place like home."
    first, second = engine.stream(Utterance(text, "heart"))
    theirs = list(library.stream(text, seed=0))
    assert np.array_equal(first, theirs[0][silent_samples(theirs[0]) :])
    assert np.array_equal(second, theirs[1])


def test_what_has_no_sound_is_not_trimmed() -> None:
    for samples in (0, 7, 24_000):
        assert silent_samples(np.zeros(samples, np.float32)) == 0
    noise = np.random.default_rng(0).normal(0, 1e-3, 24_000).astype(np.float32)
    assert silent_samples(noise) == 0


def test_joins_are_pauses_that_people_make(engine: Engine) -> None:
    sentences = [to_pcm(speak(engine, sentence)) for sentence in (*SENTENCES[:8], "So it is.")]
    pause = silence(engine.pause_seconds, SAMPLE_RATE)
    text = np.concatenate([part for sentence in sentences for part in (sentence, pause)])
    found = joins(Reception(text, SAMPLE_RATE, [Arrival(0.0, len(text))]), sentences)
    assert len(found) == 8
    for join in found:
        assert 0.5 <= join.silence_seconds <= 0.7
        assert not join.clicks


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_right_words_are_heard(engine: Engine, sentence: str) -> None:
    assert recognise(wav(to_pcm(speak(engine, sentence)))) == sentence


def speak(engine: Engine, text: str) -> Audio:
    return engine.synthesize([Utterance(text, "heart")])[0]


def loudest_dbfs(audio: Audio) -> float:
    """The level of the loudest 5 ms."""
    frames = audio[: len(audio) // 120 * 120].reshape(-1, 120)
    return float(20 * np.log10(np.sqrt(np.square(frames).mean(axis=1)).max(initial=1e-9)))


def wav(samples: Pcm) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
