"""Resample the audio before another encoder."""

import asyncio

import numpy as np
import numpy.typing as npt
import soxr

from ttsworker.audio import Pcm
from ttsworker.encoding.protocol import Encoder

_LOWEST, _HIGHEST = -32768, 32767


class Resampled:
    """An encoder whose input has another sample rate than its output."""

    def __init__(self, encoder: Encoder, from_rate: int, to_rate: int) -> None:
        self.media_type = encoder.media_type
        self._encoder = encoder
        # As float32, because soxr adds dither to 16 bit samples, and the dither depends on where the pieces end.
        self._resampler = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def header(self, byte_length: int | None) -> bytes:
        """Return the encoder's header."""
        return self._encoder.header(byte_length)

    async def encode(self, piece: Pcm) -> bytes:
        """Return the piece's bytes, except a few milliseconds that the resampler holds back."""
        return await self._encoder.encode(await asyncio.to_thread(self._resample, piece))

    async def finish(self) -> bytes:
        """Return the bytes that the resampler and the encoder held back."""
        rest = await asyncio.to_thread(self._resample, np.zeros(0, np.int16), last=True)
        return await self._encoder.encode(rest) + await self._encoder.finish()

    async def close(self) -> None:
        """Close the encoder."""
        await self._encoder.close()

    def _resample(self, piece: Pcm, *, last: bool = False) -> Pcm:
        resampled: npt.NDArray[np.float32] = self._resampler.resample_chunk(piece.astype(np.float32), last=last)
        return np.rint(resampled).clip(_LOWEST, _HIGHEST).astype(np.int16)
