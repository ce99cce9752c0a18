"""MP3, Opus in Ogg and FLAC by libsndfile.

libsndfile writes files: at the end it rewrites the head (MP3: an Info frame with the length; FLAC: length and checksum
in STREAMINFO). A stream cannot be rewritten. So the encoder keeps the head separately: a stream has no head, or one
that says "unknown", and a complete file has the final one.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import soundfile

from ttsworker.audio import Pcm, silence
from ttsworker.encoding.protocol import frames
from ttsworker.encoding.sink import Sink

MP3_KBIT = 96
"""Constant bit rate, so that a player can compute the position in a stream; high enough for one voice. Below 16 kHz MP3
allows at most 64."""

OPUS_KBIT = 48
"""Average for each channel."""

OPUS_PAGE_MILLISECONDS = 200.0
"""Audio in an Ogg page. libsndfile's default is one second, which would hold back a whole short first sentence."""

_SET_OGG_PAGE_LATENCY = 0x1302  # SFC_SET_OGG_PAGE_LATENCY_MS
_MPEG1_FROM_RATE = 32_000
_MPEG1_KBIT = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBIT = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_FLAC_MARK_BYTES = 4


@dataclass(frozen=True)
class Codec:
    """The libsndfile parameters of a format at one sample rate."""

    media_type: str
    container: str
    subtype: str
    compression: float
    head_length: Callable[[bytes], int]
    head_in_stream: bool = False


class CompressedEncoder:
    """Encodes in threads, because seconds of audio take tens of milliseconds."""

    def __init__(self, codec: Codec, sample_rate: int, channels: int) -> None:
        self.media_type = codec.media_type
        self._codec, self._sample_rate, self._channels = codec, sample_rate, channels
        self._sink = Sink(codec.head_length)
        self._file: soundfile.SoundFile | None = None  # opened with the first piece: a queued request needs none
        self._running: asyncio.Future[bytes] | None = None

    def header(self, byte_length: int | None) -> bytes:
        """Return the head: without a length while streaming, with the final length after `finish`."""
        if byte_length is not None:
            return bytes(self._sink.head)
        return _unfinished_head(self._codec, self._sample_rate, self._channels) if self._codec.head_in_stream else b""

    async def encode(self, piece: Pcm) -> bytes:
        """Return the frames, or pages, that are complete."""
        return await self._in_thread(lambda: self._write(piece))

    async def finish(self) -> bytes:
        """Return the last frames or pages."""
        return await self._in_thread(self._finish)

    async def close(self) -> None:
        """Close the file, after the thread of a cancelled request has finished with it."""
        if self._running:
            await asyncio.wait([self._running])
        if self._file:
            self._file.close()

    async def _in_thread(self, call: Callable[[], bytes]) -> bytes:
        self._running = asyncio.ensure_future(asyncio.to_thread(call))
        return await asyncio.shield(self._running)

    def _write(self, piece: Pcm) -> bytes:
        _write(self._opened(), piece, self._channels)
        return self._sink.take()

    def _finish(self) -> bytes:
        self._opened().close()
        return self._sink.take()

    def _opened(self) -> soundfile.SoundFile:
        self._file = self._file or _open(self._codec, self._sink, self._sample_rate, self._channels)
        return self._file


def mp3(sample_rate: int) -> Codec:
    """Return MP3; its head is a frame without sound, which a stream omits."""
    least, most = (32, 320) if sample_rate >= _MPEG1_FROM_RATE else (8, 160)
    level = (most - MP3_KBIT) / (most - least)
    return Codec("audio/mpeg", "MP3", "MPEG_LAYER_III", level, lambda start: _mp3_frame_length(start, sample_rate))


def opus(sample_rate: int) -> Codec:  # noqa: ARG001 - as the others
    """Return Opus in Ogg; libsndfile rewrites nothing in it."""
    level = (256 - OPUS_KBIT) / (256 - 6)
    return Codec("audio/ogg;codecs=opus", "OGG", "OPUS", level, lambda _: 0)


def flac(sample_rate: int) -> Codec:  # noqa: ARG001 - as the others
    """Return FLAC; its head is everything before the first frame."""
    return Codec("audio/flac", "FLAC", "PCM_16", 0.5, _flac_head_length, head_in_stream=True)


def _open(codec: Codec, sink: Sink, sample_rate: int, channels: int) -> soundfile.SoundFile:
    file = soundfile.SoundFile(
        sink,
        "w",
        samplerate=sample_rate,
        channels=channels,
        format=codec.container,
        subtype=codec.subtype,
        compression_level=codec.compression,
        bitrate_mode="CONSTANT" if codec.container == "MP3" else None,
    )
    if codec.container == "OGG":
        _set_page_latency(file, OPUS_PAGE_MILLISECONDS)
    return file


def _write(file: soundfile.SoundFile, piece: Pcm, channels: int) -> None:
    # As 32 bit, because libsndfile 1.2 distorts an MP3 of 16 bit samples with two channels. For FLAC libsndfile
    # converts them back to 16 bit.
    file.write(frames(piece.astype(np.int32) << 16, channels).reshape(-1, channels))


def _set_page_latency(file: soundfile.SoundFile, milliseconds: float) -> None:
    """Send libsndfile a command that soundfile does not expose, so through private names; a test checks the effect."""
    value = soundfile._ffi.new("double *", milliseconds)  # noqa: SLF001 - see above
    soundfile._snd.sf_command(file._file, _SET_OGG_PAGE_LATENCY, value, soundfile._ffi.sizeof("double"))  # noqa: SLF001


def _unfinished_head(codec: Codec, sample_rate: int, channels: int) -> bytes:
    """Return the head as libsndfile first writes it, taken from a temporary file."""
    sink = Sink(codec.head_length)
    with _open(codec, sink, sample_rate, channels) as file:
        _write(file, silence(1 / sample_rate, sample_rate), channels)
        sink.take()
        return bytes(sink.head)


def _mp3_frame_length(start: bytes, sample_rate: int) -> int:
    index = start[2] >> 4
    if sample_rate >= _MPEG1_FROM_RATE:
        return 144_000 * _MPEG1_KBIT[index] // sample_rate
    return 72_000 * _MPEG2_KBIT[index] // sample_rate


def _flac_head_length(start: bytes) -> int:
    length, last = _FLAC_MARK_BYTES, False
    while not last:
        last = bool(start[length] & 0x80)
        length += 4 + int.from_bytes(start[length + 1 : length + 4])
    return length
