"""Requests to a server around the artificial engine, and the audio that must come of them."""

import asyncio
import io
import wave

import httpx
import numpy as np

from tests.support.worker.artificial import tone
from tests.support.worker.serving import PATIENCE_SECONDS, Served
from ttsworker.engines import Utterance

SPEECH = "/v1/audio/speech"


def body_of(text: str, **more: object) -> dict[str, object]:
    return {"input": text, "response_format": "wav", **more}


def ask(served: Served, text: str, **more: object) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(served.client.post(SPEECH, json=body_of(text, **more)))


def heard(answer: httpx.Response) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with wave.open(io.BytesIO(answer.content)) as audio:
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2")


def spoken(*texts: str) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.concatenate([(tone(Utterance(text, "one")) * 32767).astype(np.int16) for text in texts])


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


async def poll(served: Served, path: str, headers: dict[str, str] | None = None) -> None:
    """Ask until the answer is 200."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await served.client.get(path, headers=headers)).status_code != 200:  # noqa: ASYNC110 - a server's news
            await asyncio.sleep(0.05)
