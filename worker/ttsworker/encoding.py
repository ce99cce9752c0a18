"""Turns an engine's samples into the bytes of a sound format, piece by piece."""

import struct
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soxr

from ttsworker.audio import Pcm
from ttsworker.requests import AudioFormat

PCM_RATE = 24_000
"""Samples per second of `pcm`, as in OpenAI's API; it has no header that could tell another one."""

UNKNOWN_LENGTH = 0xFFFFFFFF
"""In a WAV header: the audio goes on to the end of the stream. Players and decoders know it from live streams."""

_BYTES_PER_SAMPLE = 2


class Encoder(Protocol):
    """One response's format. The bytes are the same however the audio was cut into pieces."""

    media_type: str

    def header(self, byte_length: int | None) -> bytes:
        """Return what comes first; the length is that of everything after it, None when not known yet."""

    def encode(self, piece: Pcm) -> bytes:
        """Return the bytes of one more piece."""

    def finish(self) -> bytes:
        """Return the bytes that were held back."""

    def close(self) -> None:
        """Free."""


class WavEncoder:
    """16 bit WAV at the engine's own rate."""

    media_type = "audio/wav"

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate

    def header(self, byte_length: int | None) -> bytes:
        """Return the RIFF header."""
        size = UNKNOWN_LENGTH if byte_length is None else byte_length
        riff_size = UNKNOWN_LENGTH if byte_length is None else byte_length + 36
        rate, width = self._sample_rate, _BYTES_PER_SAMPLE
        fields = (b"RIFF", riff_size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * width, width, width * 8, b"data", size)
        return struct.pack("<4sI4s4sIHHIIHH4sI", *fields)

    def encode(self, piece: Pcm) -> bytes:
        """Return the piece's samples."""
        return piece.tobytes()

    def finish(self) -> bytes:
        """Nothing is held back."""
        return b""

    def close(self) -> None:
        """Nothing."""


class PcmEncoder:
    """Bare 16 bit samples at 24 kHz, resampled where the engine speaks at another rate."""

    media_type = f"audio/pcm;rate={PCM_RATE}"

    def __init__(self, sample_rate: int) -> None:
        self._resampler = (
            None if sample_rate == PCM_RATE else soxr.ResampleStream(sample_rate, PCM_RATE, 1, dtype="int16")
        )

    def header(self, byte_length: int | None) -> bytes:  # noqa: ARG002 - the protocol's signature
        """There is none."""
        return b""

    def encode(self, piece: Pcm) -> bytes:
        """Return as many samples as can be told already."""
        return (self._resampler.resample_chunk(piece) if self._resampler else piece).tobytes()

    def finish(self) -> bytes:
        """Return the samples that the resampler still holds."""
        if self._resampler is None:
            return b""
        return self._resampler.resample_chunk(np.zeros(0, np.int16), last=True).tobytes()

    def close(self) -> None:
        """Nothing."""


_ENCODERS: dict[AudioFormat, type[WavEncoder | PcmEncoder]] = {"wav": WavEncoder, "pcm": PcmEncoder}


@dataclass(frozen=True)
class AudioSpec:
    format: AudioFormat


def encoder_for(spec: AudioSpec, sample_rate: int) -> Encoder:
    """Return a new encoder for audio of this rate."""
    return _ENCODERS[spec.format](sample_rate)
