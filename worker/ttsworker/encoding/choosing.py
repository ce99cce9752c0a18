"""Chooses the encoder and its sample rate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ttsworker.audio import SAMPLE_BYTES
from ttsworker.encoding import aac, compressed, events
from ttsworker.encoding.events import EventEncoder
from ttsworker.encoding.pcm import PcmEncoder
from ttsworker.encoding.protocol import Encoder, UnsupportedEncoding
from ttsworker.encoding.resampling import Resampled
from ttsworker.encoding.wav import WavEncoder

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
AUDIO_FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)

PCM_RATE = 24_000
"""Default samples per second of `pcm`, as in OpenAI's API: PCM has no header that could state the rate."""

RATES: Mapping[AudioFormat, Sequence[int]] = {
    "mp3": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "aac": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8000, 12_000, 16_000, 24_000, 48_000),
}
"""The sample rates of the formats that support only some rates."""

_MAKERS: Mapping[AudioFormat, Callable[[int, int], Encoder]] = {
    "mp3": lambda rate, channels: compressed.CompressedEncoder(compressed.mp3(rate), rate, channels),
    "opus": lambda rate, channels: compressed.CompressedEncoder(compressed.opus(rate), rate, channels),
    "flac": lambda rate, channels: compressed.CompressedEncoder(compressed.flac(rate), rate, channels),
    "aac": aac.AacEncoder,
    "wav": WavEncoder,
    "pcm": PcmEncoder,
}


@dataclass(frozen=True)
class Encoding:
    """The format of a response."""

    format: AudioFormat
    sample_rate: int | None = None
    """Samples per second; None is the engine's rate, or the next higher one that the format supports."""
    channels: int = 1
    """1 (mono), or 2 with the same audio in both channels."""
    events: bool = False
    """Whether the bytes are wrapped in server-sent events."""
    characters: int = 0
    """Length of the text, for the usage in the last event."""


def encoder_for(encoding: Encoding, engine_rate: int) -> Encoder:
    """Return a new encoder for an engine's audio; raises UnsupportedEncoding."""
    if encoding.format == "aac" and not aac.available():
        message = f"aac needs {aac.PROGRAM}, which is not installed on this worker: use another format"
        raise UnsupportedEncoding("unsupported_format", message, param="response_format")
    rate = _rate(encoding, engine_rate)
    encoder = _MAKERS[encoding.format](rate, encoding.channels)
    if rate != engine_rate:
        encoder = Resampled(encoder, engine_rate, rate)
    return EventEncoder(encoder, engine_rate, encoding.characters) if encoding.events else encoder


def bytes_per_second(encoding: Encoding, engine_rate: int) -> float:
    """Estimate the bytes of a second of audio, rather too high than too low; raises UnsupportedEncoding."""
    size: float
    if encoding.format in {"mp3", "aac"}:
        size = 125 * max(compressed.MP3_KBIT, aac.KBIT)
    elif encoding.format == "opus":
        size = 140 * compressed.OPUS_KBIT * encoding.channels  # more than 125: the rate is an average, of noise higher
    else:
        size = SAMPLE_BYTES * _rate(encoding, engine_rate)
        if encoding.format != "flac":  # which has noise as it is, but a second, equal channel for nothing
            size *= encoding.channels
    return size * events.OVERHEAD if encoding.events else size


def _rate(encoding: Encoding, engine_rate: int) -> int:
    rates = RATES.get(encoding.format)
    wanted = encoding.sample_rate
    if wanted and rates and wanted not in rates:
        known = ", ".join(map(str, rates))
        message = f"{encoding.format} does not support a sample rate of {wanted}; it supports {known}"
        raise UnsupportedEncoding("invalid_value", message, param="sample_rate")
    if wanted:
        return wanted
    if encoding.format == "pcm":
        return PCM_RATE
    return next((rate for rate in rates if rate >= engine_rate), rates[-1]) if rates else engine_rate
