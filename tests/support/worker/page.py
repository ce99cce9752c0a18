"""What a person does with the page, and what they hear, in a real browser."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.async_api import Page, expect

from tests.support.worker.artificial import tone
from tests.support.worker.browser import Visit
from tests.support.worker.serving import PATIENCE_SECONDS, Served
from ttsworker.engines import Utterance

READY = "Ready"
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


def address(served: Served) -> str:
    return f"http://127.0.0.1:{served.port}/"


def tones(*texts: str) -> npt.NDArray[np.int16]:
    return np.concatenate([(tone(Utterance(text, "one")) * 32767).astype(np.int16) for text in texts])


async def speak(visit: Visit, text: str) -> None:
    await expect(status(visit.page)).to_have_text(READY)
    await visit.page.get_by_label("Text to speak").fill(text)
    await visit.page.get_by_role("button", name="Speak").click()


async def downloaded(page: Page) -> bytes:
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download WAV").click()
    path = await (await download.value).path()
    return await asyncio.to_thread(path.read_bytes)


def samples(wav: bytes) -> npt.NDArray[np.int16]:
    with wave.open(io.BytesIO(wav)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 24_000)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2")


async def drawn(page: Page) -> bytes:
    """What the waveform shows, once what was asked for has been drawn."""
    pixels = """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() =>
        resolve(document.querySelector("canvas").toDataURL()))))"""
    return str(await page.evaluate(pixels)).encode()


def status(page: Page) -> Any:
    return page.get_by_role("status")


@asynccontextmanager
async def heard(page: Page) -> AsyncIterator[None]:
    """At the end of the block wait until something was heard since its beginning: the meter shows what sounds."""
    sound = """() => new Promise((resolve) => {
        const meter = document.querySelector("meter");
        const look = () => meter.value > 0.01 && resolve();
        new MutationObserver(look).observe(meter, { attributes: true });
    })"""
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(page.evaluate(sound))
        yield
