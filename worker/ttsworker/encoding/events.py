"""Audio as server-sent events, as OpenAI's API does with `stream_format: sse`.

Each `speech.audio.delta` carries some bytes of the file in base64; joined in order they are the file, in any format.
The last event, `speech.audio.done`, reports the usage. This worker has no tokens: it counts one for each character of
the text, as OpenAI bills tts-1, and one for each 50 ms of audio, about a token of OpenAI's speech models.
"""

import json
import math
from base64 import b64encode
from typing import Any

from ttsworker.audio import Pcm
from ttsworker.encoding.protocol import Encoder

TOKENS_PER_SECOND = 20

DELTA_BYTES = 24_576
"""The most audio in one event: some clients reject lines of more than 64 KiB."""

OVERHEAD = 1.4
"""Bytes of the events for each byte of the file, rather too many than too few: base64, and the JSON around it."""


class EventEncoder:
    """Wraps another encoder's bytes in events. The first event starts with the format's streaming header."""

    media_type = "text/event-stream"

    def __init__(self, encoder: Encoder, engine_rate: int, characters: int) -> None:
        self._encoder = encoder
        self._rate = engine_rate
        self._characters = characters
        self._samples = 0
        self._begun = False

    def header(self, byte_length: int | None) -> bytes:  # noqa: ARG002 - the protocol's signature
        """Return nothing: the events contain the format's header."""
        return b""

    async def encode(self, piece: Pcm) -> bytes:
        """Return the events with the bytes of one more piece."""
        self._samples += len(piece)
        return self._deltas(await self._encoder.encode(piece))

    async def finish(self) -> bytes:
        """Return the events with the last bytes, then `speech.audio.done`."""
        spoken = math.ceil(self._samples * TOKENS_PER_SECOND / self._rate)
        usage = {
            "input_tokens": self._characters,
            "output_tokens": spoken,
            "total_tokens": self._characters + spoken,
        }
        return self._deltas(await self._encoder.finish()) + _event("speech.audio.done", usage=usage)

    async def close(self) -> None:
        """Close the encoder."""
        await self._encoder.close()

    def _deltas(self, audio: bytes) -> bytes:
        if audio and not self._begun:
            self._begun = True
            audio = self._encoder.header(None) + audio
        parts = (audio[start : start + DELTA_BYTES] for start in range(0, len(audio), DELTA_BYTES))
        return b"".join(_event("speech.audio.delta", audio=b64encode(part).decode()) for part in parts)


def _event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": kind, **fields}, separators=(",", ":")).encode() + b"\n\n"
