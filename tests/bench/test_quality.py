"""The benchmark's measurements of synthetic streams, for which every figure is known."""

import struct

import numpy as np
import pytest

from bench.joins import find, joins
from bench.quality import (
    PCM_RATE,
    Arrival,
    Pcm,
    Reception,
    Stall,
    audible_span,
    chunk_gaps,
    first_audible,
    first_audio,
    largest_step,
    longest_silence,
    receive,
    speech_seconds,
    stalls,
)

RATE = 16_000


def tone(seconds: float, pitch: float = 200.0, level: float = 0.3) -> Pcm:
    """A sound that swells and fades, as speech does."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * pitch * time) * np.sin(np.pi * time / seconds)
    return (wave * 32767).astype(np.int16)


def word(seconds: float, seed: int) -> Pcm:
    """A sound unlike that of any other seed."""
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return (noise * np.hanning(len(noise)) * 32767).astype(np.int16)


def silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE), np.int16)


def faint(seconds: float, dbfs: float) -> Pcm:
    """A square wave, whose root mean square is its level."""
    level = round(32768 * 10 ** (dbfs / 20))
    return np.where(np.arange(round(seconds * RATE)) % 2, level, -level).astype(np.int16)


def received(samples: Pcm, *cuts: tuple[float, float]) -> Reception:
    """Samples that came in parts: (seconds since the request, seconds of audio)."""
    arrivals = [Arrival(at, round(seconds * RATE)) for at, seconds in cuts]
    assert sum(arrival.samples for arrival in arrivals) == len(samples)
    return Reception(samples, RATE, arrivals)


def wav(samples: Pcm, rate: int = RATE, channels: int = 1) -> bytes:
    fields = (b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, channels, rate, rate * 2, 2, 16, b"data", 0xFFFFFFFF)
    return struct.pack("<4sI4s4sIHHIIHH4sI", *fields) + samples.tobytes()


def test_a_wav_is_read_however_it_was_cut() -> None:
    samples = tone(0.5)
    body = wav(samples)
    chunks = [(0.1, body[:30]), (0.2, body[30:44]), (0.3, body[44:1045]), (0.4, body[1045:])]
    reception = receive(chunks)
    assert reception.sample_rate == RATE
    assert np.array_equal(reception.samples, samples)
    # The header is no audio, and half a sample is none yet.
    assert reception.arrivals == [Arrival(0.3, 500), Arrival(0.4, len(samples) - 500)]
    assert first_audio(reception) == 0.3


def test_bare_samples_are_read_as_they_are() -> None:
    samples = tone(0.1)
    reception = receive([(0.5, samples.tobytes())])
    assert reception.sample_rate == PCM_RATE
    assert np.array_equal(reception.samples, samples)


def test_a_wav_of_two_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="2 channels"):
        receive([(0.0, wav(tone(0.1), channels=2))])


@pytest.mark.parametrize(("dbfs", "is_heard"), [(-52.0, False), (-48.0, True)])
def test_what_is_below_50_db_of_full_scale_is_not_heard(dbfs: float, is_heard: bool) -> None:  # noqa: FBT001 - a parameter of the test
    samples = np.concatenate([faint(0.2, dbfs), tone(0.5), silence(0.3)])
    start, _ = audible_span(samples, RATE)
    assert (start == 0) is is_heard
    # The tone swells from nothing: it is heard within its first three frames.
    assert is_heard or 0.2 <= start / RATE <= 0.23


def test_one_loud_sample_in_silence_is_no_speech() -> None:
    samples = silence(0.5)
    samples[4000] = 1000
    assert audible_span(samples, RATE) == (len(samples), len(samples))


def test_the_silence_before_and_after_is_not_counted_as_speech() -> None:
    samples = np.concatenate([silence(0.5), faint(1.0, -20), silence(2.0)])
    assert speech_seconds(received(samples, (0.0, 3.5))) == 1.0
    assert speech_seconds(received(silence(1.0), (0.0, 1.0))) == 0.0


def test_the_first_sound_is_heard_after_the_silence_in_front_of_it() -> None:
    samples = np.concatenate([silence(0.5), faint(1.0, -20)])
    assert first_audio(received(samples, (0.2, 1.5))) == 0.2
    assert first_audible(received(samples, (0.2, 1.5))) == pytest.approx(0.7)
    # The silence comes at once and the sound late: 0.3 s of waiting are in it.
    assert first_audible(received(samples, (0.2, 0.5), (1.0, 1.0))) == pytest.approx(1.0)
    # A stall after the first sound delays it no more.
    assert first_audible(received(samples, (0.2, 1.0), (9.0, 0.5))) == pytest.approx(0.7)


def test_audio_that_comes_in_time_does_not_stall() -> None:
    assert stalls(received(silence(3.0), (0.5, 1.0), (1.4, 1.0), (2.5, 1.0))) == []


def test_audio_that_comes_late_stalls_and_puts_off_what_follows() -> None:
    reception = received(silence(3.0), (0.5, 1.0), (2.0, 1.0), (3.25, 1.0))
    first, second = stalls(reception)
    assert first == Stall(RATE, 0.5)  # played until 1.5, next there at 2.0
    assert second == Stall(2 * RATE, 0.25)  # played until 3.0
    assert chunk_gaps(reception) == [1.5, 1.25]


def test_the_longest_of_several_silences_is_found() -> None:
    sound = faint(0.5, -20)
    samples = np.concatenate([silence(0.1), sound, silence(0.7), sound, silence(0.3)])
    assert longest_silence(samples, RATE) == pytest.approx(0.7)
    assert longest_silence(sound, RATE) == 0.0
    assert longest_silence(np.zeros(0, np.int16), RATE) == 0.0


def test_a_step_is_measured_over_the_whole_range() -> None:
    assert largest_step(np.array([-32768, 32767], np.int16)) == pytest.approx(2.0, abs=1e-4)
    assert largest_step(np.array([5, 5, 5], np.int16)) == 0.0
    assert largest_step(np.array([5], np.int16)) == 0.0


def test_a_sentence_is_found_where_it_is_and_nowhere_else() -> None:
    stream = np.concatenate([silence(0.4), word(0.5, 1), silence(0.2), word(0.5, 2)])
    assert find(stream, word(0.5, 2), 0) == round(1.1 * RATE)
    assert find(stream, word(0.5, 1), 0) == round(0.4 * RATE)
    for missing, after in ((word(0.5, 3), 0), (word(0.5, 1), RATE), (word(5.0, 1), 0), (silence(0.1), 0)):
        with pytest.raises(ValueError, match="the stream"):
            find(stream, missing, after)


def padded(sentence: Pcm) -> Pcm:
    """A sentence as an engine gives it, with a little silence at both ends."""
    return np.concatenate([silence(0.05), sentence, silence(0.1)])


def test_the_pause_at_a_join_is_what_is_heard_between_two_sentences() -> None:
    one, two, three = word(0.5, 1), word(0.6, 2), word(0.4, 3)
    samples = np.concatenate([padded(one), silence(0.25), padded(two), padded(three)])
    first, second = joins(received(samples, (0.0, len(samples) / RATE)), [padded(one), padded(two), padded(three)])
    # The words are faint at first and at last: up to four frames of each count as silence.
    assert 0.40 <= first.silence_seconds <= 0.48
    assert 0.15 <= second.silence_seconds <= 0.23
    assert not first.clicks
    assert not second.clicks


def test_a_stall_at_a_join_is_heard_as_a_longer_pause() -> None:
    one, two = padded(word(0.5, 1)), padded(word(0.5, 2))
    samples = np.concatenate([one, two])
    half = len(one) / RATE
    (in_time,) = joins(received(samples, (0.0, half), (0.5, half)), [one, two])
    (late,) = joins(received(samples, (0.0, half), (half + 2.0, half)), [one, two])
    assert late.silence_seconds - in_time.silence_seconds == pytest.approx(2.0)


@pytest.mark.parametrize("fault", ["cut off", "spike"])
def test_a_jump_at_a_join_is_a_click(fault: str) -> None:
    one, two = word(0.5, 1), word(0.5, 2)
    pause = silence(0.3)
    if fault == "cut off":
        one = one[: len(one) // 2]  # at its loudest
        one[-1] = 4000
    else:
        pause[1000] = 2000
    samples = np.concatenate([one, pause, two])
    (join,) = joins(received(samples, (0.0, len(samples) / RATE)), [one, two])
    assert join.clicks


def test_a_missing_sentence_is_reported() -> None:
    samples = np.concatenate([word(0.5, 1), silence(0.3), word(0.5, 3)])
    with pytest.raises(ValueError, match="not in the stream"):
        joins(received(samples, (0.0, len(samples) / RATE)), [word(0.5, 1), word(0.5, 2), word(0.5, 3)])
