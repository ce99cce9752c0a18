"""An `<audio>` element that plays an address of the worker, in a real browser: it asks for ranges, and can seek."""

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.browser import visiting
from tests.support.worker.page import address
from tests.support.worker.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEEK = """(source) => new Promise((resolve) => {
    const audio = new Audio();
    audio.preload = "auto";
    audio.addEventListener("loadedmetadata", () => { audio.currentTime = 0.9 * audio.duration; }, { once: true });
    audio.addEventListener("seeked", () => resolve({
        duration: audio.duration, seekable: audio.seekable.end(0), at: audio.currentTime,
    }), { once: true });
    audio.addEventListener("error", () => resolve({ error: audio.error.message }));
    audio.src = source;
})"""


@pytest.mark.parametrize("path", ["api/tts?text=", "process/?INPUT_TEXT="])
async def test_it_plays_and_seeks(browser: Browser, path: str) -> None:
    text = "a" * 240 + "."
    async with (
        serving(ArtificialEngine(seconds_per_character=0.1)) as served,
        visiting(browser, address(served)) as visit,
    ):
        ranges: list[tuple[str | None, int]] = []
        visit.page.on(
            "response",
            lambda answer: (
                ranges.append((answer.request.headers.get("range"), answer.status)) if path in answer.url else None
            ),
        )
        told: dict[str, Any] = await visit.page.evaluate(SEEK, f"{path}{text}")
        assert told["duration"] == pytest.approx(len(text) * 0.1, abs=0.01)
        assert told["seekable"] == told["duration"]
        assert told["at"] == pytest.approx(0.9 * told["duration"], abs=0.1)
        assert ranges[0] == ("bytes=0-", 206)
        assert {status for _, status in ranges} == {206}
