"""Every format, from samples to bytes and back."""

import asyncio
import io
import wave
from collections.abc import Iterable
from typing import get_args

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.worker.decoding import Samples, assert_same_sound, decode, without_serial_numbers
from ttsworker.audio import Pcm, to_pcm
from ttsworker.encoding import (
    AudioFormat,
    Encoder,
    Encoding,
    UnsupportedEncoding,
    bytes_per_second,
    encoder_for,
    slices,
)
from ttsworker.encoding.choosing import RATES

FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)
RATE = 22_050
SECONDS = 2


def speechlike(rate: int, seconds: float = SECONDS) -> Pcm:
    """A rising tone with an overtone, loud and soft by turns: no stretch of it is like another."""
    time = np.arange(round(rate * seconds)) / rate
    phase = 2 * np.pi * (150 * time + 60 * time**2)
    return to_pcm(((np.sin(phase) + 0.5 * np.sin(3 * phase)) * (0.3 + 0.2 * np.sin(9 * time))).astype(np.float32))


SOUND = speechlike(RATE)


async def encode_all(encoder: Encoder, pieces: Iterable[Pcm]) -> tuple[bytes, bytes]:
    """What a stream and what a complete answer consists of."""
    try:
        stream_header = encoder.header(None)
        body = b"".join([*[await encoder.encode(piece) for piece in pieces], await encoder.finish()])
        return stream_header + body, encoder.header(len(body)) + body
    finally:
        await encoder.close()


def encode(encoding: Encoding, sound: Pcm = SOUND, rate: int = RATE, cuts: Iterable[int] = ()) -> tuple[bytes, bytes]:
    return asyncio.run(encode_all(encoder_for(encoding, rate), np.split(sound, sorted(cuts))))


def resampled(sound: Samples, from_rate: int, to_rate: int) -> Samples:
    samples: Samples = soxr.resample(sound.astype(np.float32), from_rate, to_rate).astype(np.int16)
    return samples


@pytest.mark.parametrize("audio_format", ["mp3", "opus", "flac", "wav", "pcm"])
@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=5))
@settings(max_examples=20, deadline=None)
def test_the_bytes_do_not_depend_on_the_pieces(audio_format: AudioFormat, cuts: list[int]) -> None:
    cut, uncut = (encode(Encoding(audio_format), cuts=where) for where in (cuts, []))
    assert [without_serial_numbers(data) for data in cut] == [without_serial_numbers(data) for data in uncut]


@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=5))
@settings(max_examples=5, deadline=None)  # each of them starts ffmpeg twice
def test_the_bytes_of_aac_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    assert encode(Encoding("aac"), cuts=cuts) == encode(Encoding("aac"))


@pytest.mark.parametrize(
    ("audio_format", "rate", "channels"),
    [(name, rate, 1 + place % 2) for name, rates in RATES.items() for place, rate in enumerate(rates)]
    + [(name, rate, channels) for name in ("flac", "wav") for rate, channels in ((8000, 1), (22_050, 2), (47_999, 1))],
)
def test_every_format_has_every_rate_it_claims(audio_format: AudioFormat, rate: int, channels: int) -> None:
    decoded = decode(encode(Encoding(audio_format, rate, channels), cuts=[700, 9000])[0])
    heard_at = 48_000 if audio_format == "opus" else rate  # Opus is always decoded at its highest rate
    assert (decoded.sample_rate, decoded.channels) == (heard_at, channels)
    for channel in decoded.samples.T:
        assert_same_sound(channel, resampled(SOUND, RATE, heard_at))


@pytest.mark.parametrize("channels", [1, 2])
def test_pcm_is_what_wav_has_behind_its_header(channels: int) -> None:
    for rate in (None, 8000, 24_000, 47_999):
        wav = encode(Encoding("wav", rate or 24_000, channels))[1]
        assert encode(Encoding("pcm", rate, channels)) == (wav[44:], wav[44:])


def test_slices_are_the_piece() -> None:
    for length in (0, 1, RATE // 2, RATE // 2 + 1, len(SOUND)):
        parts = list(slices(SOUND[:length], RATE))
        assert all(0 < len(part) <= RATE // 2 for part in parts)
        assert np.array_equal(np.concatenate([SOUND[:0], *parts]), SOUND[:length])


def test_the_other_channel_has_the_same() -> None:
    mono, stereo = (np.frombuffer(encode(Encoding("pcm", RATE, channels))[0], "<i2") for channels in (1, 2))
    assert (mono == SOUND).all()
    assert (stereo.reshape(-1, 2) == SOUND[:, np.newaxis]).all()


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_stream_can_be_played_from_its_first_piece_on(audio_format: AudioFormat) -> None:
    async def first_bytes() -> bytes:
        encoder = encoder_for(Encoding(audio_format), 24_000)
        try:
            return encoder.header(None) + await encoder.encode(speechlike(24_000, seconds=1))
        finally:
            await encoder.close()

    beginning = asyncio.run(first_bytes())
    if audio_format == "pcm":
        beginning = encoder_for(Encoding("wav"), 24_000).header(None) + beginning
    assert decode(beginning).seconds > 0.6


@pytest.mark.parametrize("rate", RATES["mp3"])
@pytest.mark.parametrize("audio_format", ["mp3", "flac", "wav"])
def test_a_complete_file_tells_its_length_to_the_sample(audio_format: AudioFormat, rate: int) -> None:
    sound = speechlike(rate)
    for channels in (1, 2):
        file = encode(Encoding(audio_format, channels=channels), sound, rate, cuts=[5])[1]
        samples, _ = soundfile.read(io.BytesIO(file), dtype="int16", always_2d=True)
        assert samples.shape == (len(sound), channels)
        for channel in samples.T:
            assert_same_sound(channel, sound)


@pytest.mark.parametrize("audio_format", ["flac", "wav"])
def test_lossless_is_lossless(audio_format: AudioFormat) -> None:
    stream, complete = encode(Encoding(audio_format), cuts=[1000, 2000])
    assert (decode(stream).samples[:, 0] == SOUND).all()
    assert (soundfile.read(io.BytesIO(complete), dtype="int16")[0] == SOUND).all()


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_sound_shorter_than_any_block_is_encoded_too(audio_format: AudioFormat) -> None:
    click = SOUND[5000:5480]
    for data in encode(Encoding(audio_format, 24_000), click, rate=24_000, cuts=[0, 1]):
        file = encoder_for(Encoding("wav"), 24_000).header(None) + data if audio_format == "pcm" else data
        assert decode(file).seconds >= 0.02


def test_a_streamed_wav_plays_to_the_end_of_the_stream() -> None:
    stream, _ = encode(Encoding("wav"), cuts=[1000])
    with wave.open(io.BytesIO(stream)) as audio:
        assert audio.getnframes() > len(SOUND)
        assert audio.readframes(audio.getnframes()) == SOUND.tobytes()


@pytest.mark.parametrize("audio_format", ["mp3", "opus", "flac", "pcm"])
async def test_the_event_loop_goes_on_while_a_long_piece_is_encoded(audio_format: AudioFormat) -> None:
    encoder = encoder_for(Encoding(audio_format), RATE)
    encoding = asyncio.create_task(encoder.encode(speechlike(RATE, seconds=30)))
    turns = 0
    while not encoding.done():
        await asyncio.sleep(0)
        turns += 1
    await encoder.close()
    assert turns > 20  # an encoder that works in the loop lets it have two


@pytest.mark.parametrize("audio_format", FORMATS)
async def test_an_encoder_can_be_closed_at_any_time(audio_format: AudioFormat) -> None:
    unused = encoder_for(Encoding(audio_format), 24_000)
    await unused.close()
    interrupted = encoder_for(Encoding(audio_format), 24_000)
    encoding = asyncio.create_task(interrupted.encode(speechlike(24_000, seconds=10)))
    await asyncio.sleep(0)
    encoding.cancel()
    await asyncio.gather(encoding, return_exceptions=True)
    for _ in range(2):
        await interrupted.close()


@pytest.mark.parametrize(
    ("audio_format", "engine_rate", "expected"),
    [
        ("mp3", 24_000, 24_000),
        ("mp3", 20_000, 22_050),
        ("aac", 96_000, 48_000),
        ("flac", 20_000, 20_000),
        ("wav", 22_050, 22_050),
    ],
)
def test_the_rate_is_the_engines_or_the_next(audio_format: AudioFormat, engine_rate: int, expected: int) -> None:
    assert decode(encode(Encoding(audio_format), rate=engine_rate)[1]).sample_rate == expected


@pytest.mark.parametrize(("audio_format", "rate"), [("mp3", 8001), ("aac", 47_999), ("opus", 22_050)])
def test_a_rate_the_format_does_not_have_is_refused(audio_format: AudioFormat, rate: int) -> None:
    known = f"{audio_format} does not support a sample rate of {rate}; it supports 8000, "
    with pytest.raises(UnsupportedEncoding, match=known) as error:
        encoder_for(Encoding(audio_format, rate), 24_000)
    assert (error.value.code, error.value.param) == ("invalid_value", "sample_rate")


@pytest.mark.parametrize("wrapped", [{"events": False}, {"events": True}], ids=["plain", "events"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("audio_format", FORMATS)
def test_the_estimate_of_the_bytes_is_near_and_rather_too_high(
    audio_format: AudioFormat, channels: int, wrapped: dict[str, bool]
) -> None:
    """White noise, which no format makes smaller."""
    seconds = 6
    noise = np.random.default_rng(1).integers(-9000, 9000, RATE * seconds).astype(np.int16)
    encoding = Encoding(audio_format, channels=channels, **wrapped)
    pieces = slices(noise, RATE)
    _, answer = asyncio.run(encode_all(encoder_for(encoding, RATE), pieces))
    estimate = seconds * bytes_per_second(encoding, RATE)
    assert len(answer) * 0.98 <= estimate <= len(answer) * 2.2
