"""What every encoder does."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ttsworker.audio import Pcm

Sample = TypeVar("Sample", np.int16, np.int32)


class EncodingFailed(Exception):
    """The program that encodes has ended or could not be started; the message has its own words."""


class UnsupportedEncoding(Exception):
    """The format lacks what the client asks for, or this worker cannot make it: code, message, and parameter."""

    def __init__(self, code: str, message: str, *, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Encoder(Protocol):
    """One response's format. However the audio is cut into pieces, the bytes are the same.

    Only Opus differs from one encoder to the next, in the number that an Ogg stream draws for itself.
    """

    media_type: str

    def header(self, byte_length: int | None) -> bytes:
        """Return what comes first.

        `byte_length` is that of everything `encode` and `finish` have returned, None while it is not known: where the
        format has a place for it, the header of a complete file tells its length.
        """

    async def encode(self, piece: Pcm) -> bytes:
        """Return the bytes of one more piece, as far as they can be told already; raises EncodingFailed."""

    async def finish(self) -> bytes:
        """Return the bytes that were held back; raises EncodingFailed."""

    async def close(self) -> None:
        """Give back what the encoder holds, whatever has happened; may be called again."""


SLICE_SECONDS = 0.5


def slices(piece: Pcm, sample_rate: int) -> Iterator[Pcm]:
    """Cut a long piece, so that its first bytes can be sent while the rest of it is being encoded."""
    length = round(SLICE_SECONDS * sample_rate)
    return (piece[start : start + length] for start in range(0, len(piece), length))


def frames(piece: npt.NDArray[Sample], channels: int) -> npt.NDArray[Sample]:
    """Return the mono samples once for each channel, interleaved."""
    return piece if channels == 1 else np.repeat(piece, channels)
