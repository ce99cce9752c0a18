"""Which encoder, at which sample rate."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ttsworker.encoding import aac, compressed
from ttsworker.encoding.events import EventEncoder
from ttsworker.encoding.pcm import PcmEncoder
from ttsworker.encoding.protocol import Encoder
from ttsworker.encoding.resampling import Resampled
from ttsworker.encoding.wav import WavEncoder
from ttsworker.http.errors import ApiError
from ttsworker.speech.request import AudioFormat, SpeechRequest

PCM_RATE = 24_000
"""Samples per second of `pcm` unless another is asked for, as in OpenAI's API: it has no header that could tell."""

RATES: Mapping[AudioFormat, Sequence[int]] = {
    "mp3": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "aac": (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8000, 12_000, 16_000, 24_000, 48_000),
}
"""Of the formats that do not have every rate."""

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
    """What a response's bytes shall be."""

    format: AudioFormat
    sample_rate: int | None = None
    """Samples per second; None is the engine's, or the next that the format has."""
    channels: int = 1
    """1, or 2 with the same in both."""
    events: bool = False
    """Whether the bytes are wrapped in server-sent events."""
    characters: int = 0
    """Of the text, for the usage that the events tell."""


def encoding_of(request: SpeechRequest) -> Encoding:
    """Return what a request asks for."""
    return Encoding(
        request.response_format,
        request.sample_rate,
        request.channels,
        events=request.stream_format == "sse",
        characters=len(request.input),
    )


def encoder_for(encoding: Encoding, engine_rate: int) -> Encoder:
    """Return a new encoder for an engine's audio; raises ApiError 400 for what the format or this worker cannot do."""
    if encoding.format == "aac" and not aac.available():
        message = f"aac needs the program {aac.PROGRAM}, which this worker does not have: ask for another format"
        raise ApiError(400, "unsupported_format", message, param="response_format")
    rate = _rate(encoding, engine_rate)
    encoder = _MAKERS[encoding.format](rate, encoding.channels)
    if rate != engine_rate:
        encoder = Resampled(encoder, engine_rate, rate)
    return EventEncoder(encoder, engine_rate, encoding.characters) if encoding.events else encoder


def _rate(encoding: Encoding, engine_rate: int) -> int:
    rates = RATES.get(encoding.format)
    wanted = encoding.sample_rate
    if wanted and rates and wanted not in rates:
        known = ", ".join(map(str, rates))
        message = f"{encoding.format} has no sample rate of {wanted}; known are {known}"
        raise ApiError(400, "invalid_value", message, param="sample_rate")
    if wanted:
        return wanted
    if encoding.format == "pcm":
        return PCM_RATE
    return next((rate for rate in rates if rate >= engine_rate), rates[-1]) if rates else engine_rate
