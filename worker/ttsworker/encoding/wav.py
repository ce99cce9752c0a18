"""WAV: a header of 44 bytes, then the samples."""

import struct

from ttsworker.audio import SAMPLE_BYTES, Pcm
from ttsworker.encoding.protocol import frames

UNKNOWN_LENGTH = 0xFFFFFFFF
"""Means that the audio ends with the stream. Players and decoders know this length from live streams."""


class WavEncoder:
    """16 bit WAV."""

    media_type = "audio/wav"

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._channels = channels

    def header(self, byte_length: int | None) -> bytes:
        """Return the RIFF header."""
        size = UNKNOWN_LENGTH if byte_length is None else byte_length
        riff_size = UNKNOWN_LENGTH if byte_length is None else byte_length + 36
        width = SAMPLE_BYTES * self._channels
        form = (1, self._channels, self._sample_rate, self._sample_rate * width, width, SAMPLE_BYTES * 8)
        fields = (b"RIFF", riff_size, b"WAVE", b"fmt ", 16, *form, b"data", size)
        return struct.pack("<4sI4s4sIHHIIHH4sI", *fields)

    async def encode(self, piece: Pcm) -> bytes:
        """Return the piece's samples, little endian."""
        return frames(piece, self._channels).astype("<i2").tobytes()

    async def finish(self) -> bytes:
        """Return nothing: no bytes are held back."""
        return b""

    async def close(self) -> None:
        """Do nothing: this encoder holds no resources."""
