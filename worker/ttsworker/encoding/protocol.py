"""What every encoder does."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ttsworker.audio import Pcm

Sample = TypeVar("Sample", np.int16, np.int32)


class EncodingFailed(Exception):
    """The encoding program exited or did not start; the message quotes the program's own error."""


class UnsupportedEncoding(Exception):
    """The format or this worker does not support the client's request: code, message, and parameter."""

    def __init__(self, code: str, message: str, *, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Encoder(Protocol):
    """Encodes one response. The bytes do not depend on how the audio is cut into pieces.

    Only Opus differs between encoders, in the random serial number of the Ogg stream.
    """

    media_type: str

    def header(self, byte_length: int | None) -> bytes:
        """Return the format's header.

        `byte_length` is the length of all bytes that `encode` and `finish` returned, None while it is unknown. The
        header of a complete file states its length if the format has a field for it.
        """

    async def encode(self, piece: Pcm) -> bytes:
        """Encode one more piece and return the bytes that are final; raises EncodingFailed."""

    async def finish(self) -> bytes:
        """Return the remaining bytes; raises EncodingFailed."""

    async def close(self) -> None:
        """Release the encoder's resources, also after a failure; may be called again."""


SLICE_SECONDS = 0.5


def slices(piece: Pcm, sample_rate: int) -> Iterator[Pcm]:
    """Cut a long piece, so that the worker can send its first bytes while it encodes the rest."""
    length = round(SLICE_SECONDS * sample_rate)
    return (piece[start : start + length] for start in range(0, len(piece), length))


def frames(piece: npt.NDArray[Sample], channels: int) -> npt.NDArray[Sample]:
    """Repeat the mono samples for each channel, interleaved."""
    return piece if channels == 1 else np.repeat(piece, channels)
