"""Server-sent events around any format."""

import asyncio
import base64
import json
from typing import get_args

import numpy as np
import pytest

from tests.support.worker.decoding import without_serial_numbers
from ttsworker.audio import Pcm
from ttsworker.encoding import AudioFormat, Encoding, encoder_for
from ttsworker.encoding.events import DELTA_BYTES

RATE = 24_000
SOUND: Pcm = (9000 * np.sin(np.arange(2 * RATE + 1) ** 1.1 / 20)).astype(np.int16)


async def run(encoding: Encoding) -> bytes:
    encoder = encoder_for(encoding, RATE)
    try:
        begin = encoder.header(None)
        return b"".join(
            [begin, *[await encoder.encode(piece) for piece in (SOUND[:9], SOUND[9:])], await encoder.finish()]
        )
    finally:
        await encoder.close()


@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_the_deltas_are_the_file(audio_format: AudioFormat) -> None:
    events = asyncio.run(run(Encoding(audio_format, events=True, characters=7)))
    *lines, end = events.decode().split("\n\n")
    assert end == ""
    *deltas, done = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    audio = [base64.b64decode(delta["audio"]) for delta in deltas]
    assert all(0 < len(part) <= DELTA_BYTES for part in audio)
    plain = asyncio.run(run(Encoding(audio_format)))
    assert without_serial_numbers(b"".join(audio)) == without_serial_numbers(plain)
    # Two seconds and a sample are 40 times 50 ms and a little more.
    assert done == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 7, "output_tokens": 41, "total_tokens": 48},
    }


def test_what_is_held_back_makes_no_empty_event() -> None:
    async def beginning() -> bytes:
        encoder = encoder_for(Encoding("flac", events=True), RATE)
        try:
            return await encoder.encode(SOUND[:100])
        finally:
            await encoder.close()

    assert asyncio.run(beginning()) == b""
