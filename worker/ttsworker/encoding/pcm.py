"""PCM: the samples and nothing else."""

from ttsworker.audio import Pcm
from ttsworker.encoding.protocol import frames


class PcmEncoder:
    """Bare 16 bit samples, little endian; only the media type states their rate."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.media_type = f"audio/pcm;rate={sample_rate}" + (f";channels={channels}" if channels > 1 else "")
        self._channels = channels

    def header(self, byte_length: int | None) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Return nothing: PCM has no header."""
        return b""

    async def encode(self, piece: Pcm) -> bytes:
        """Return the piece's samples."""
        return frames(piece, self._channels).astype("<i2").tobytes()

    async def finish(self) -> bytes:
        """Return nothing: no bytes are held back."""
        return b""

    async def close(self) -> None:
        """Do nothing: this encoder holds no resources."""
