import io
import wave
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.encoding import encoder_for, to_int16
from ttsworker.requests import AudioFormat

RATE = 22_050
SOUND = (0.8 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def encode(audio_format: AudioFormat, cuts: list[int], rate: int = RATE) -> bytes:
    encoder = encoder_for(audio_format, rate)
    pieces = np.split(SOUND, sorted(cuts))
    return encoder.header(None) + b"".join(encoder.encode(piece) for piece in pieces) + encoder.finish()


@given(st.sampled_from(get_args(AudioFormat)), st.lists(st.integers(0, RATE), max_size=5))
def test_the_bytes_do_not_depend_on_the_pieces(audio_format: AudioFormat, cuts: list[int]) -> None:
    assert encode(audio_format, cuts) == encode(audio_format, [])


def test_a_wav_of_known_length_says_it() -> None:
    body = to_int16(SOUND)
    with wave.open(io.BytesIO(encoder_for("wav", RATE).header(len(body)) + body)) as audio:
        assert (audio.getframerate(), audio.getnframes()) == (RATE, RATE)
        assert audio.readframes(RATE) == body


def test_a_streamed_wav_plays_to_the_end_of_the_stream() -> None:
    with wave.open(io.BytesIO(encode("wav", [1000, 2000]))) as audio:
        assert audio.getnframes() > RATE
        assert audio.readframes(audio.getnframes()) == to_int16(SOUND)


def test_pcm_is_always_24_khz() -> None:
    samples = np.frombuffer(encode("pcm", []), "<i2")
    assert len(samples) == 24_000
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() == 440
    assert encode("pcm", [], rate=24_000) == to_int16(SOUND)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0), (1.0, 32767), (-1.0, -32767), (7.0, 32767), (-7.0, -32767)])
def test_what_is_too_loud_is_clipped(value: float, expected: int) -> None:
    assert np.frombuffer(to_int16(np.array([value], np.float32)), "<i2") == [expected]
