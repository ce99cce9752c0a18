"""The page's player, in a real browser: pieces, pauses, seeking."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.judge import SENTENCES
from tests.support.worker.browser import visiting
from tests.support.worker.page import heard, speak
from tests.support.worker.serving import WorkerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAYED = """async ({ bytes, cuts, late }) => {
    const { Player } = await import("/web/player.js");
    const { PcmReader } = await import("/web/pcm.js");
    const context = new OfflineAudioContext(1, bytes.length / 2 + 24_000, 24_000);
    const player = new Player(context), reader = new PcmReader(), all = Uint8Array.from(bytes);
    const add = (start, end) => player.add(reader.read(all.subarray(start, end)));
    player.begin();
    cuts.slice(0, late).forEach((cut, i) => add(cuts[i - 1] ?? 0, cut));
    if (late < cuts.length) {
        context.suspend(0.5).then(() => {
            cuts.forEach((cut, i) => i < late || add(cuts[i - 1] ?? 0, cut));
            context.resume();
        });
    }
    const heard = await context.startRendering();
    return { heard: [...heard.getChannelData(0)], underruns: player.underruns };
}"""


async def play(page: Page, pcm: npt.NDArray[np.int16], cuts: list[int], late: int) -> dict[str, Any]:
    """What the page's player gives the sound card for these bytes, cut there; the pieces from `late` on come late."""
    told: dict[str, Any] = await page.evaluate(PLAYED, {"bytes": list(pcm.tobytes()), "cuts": cuts, "late": late})
    return told


def between_silence(heard: list[float]) -> list[npt.NDArray[np.int16]]:
    """The sounds in it, as samples of 16 bit; what is between must be silent, and what is a sound never is."""
    found = np.rint(np.array(heard) * 32768).astype(np.int16)
    interpolated = float(np.abs(found / 32768 - heard).max())
    assert interpolated < 1e-6
    edges = np.flatnonzero(np.diff((found != 0).astype(np.int8), prepend=0, append=0))
    return [found[start:end] for start, end in edges.reshape(-1, 2)]


async def test_pieces_are_joined_sample_by_sample_wherever_they_were_cut(
    browser: Browser, hibari: WorkerProcess
) -> None:
    pcm = np.arange(1, 9001, dtype=np.int16)
    cuts = [1, 2, 7, 7, 1500, 1501, 4802, 11_003, len(pcm) * 2]
    async with visiting(browser, hibari.url + "/") as visit:
        played = await play(visit.page, pcm, cuts, late=len(cuts))
    sounds = between_silence(played["heard"])
    count = len(sounds)  # not in the assertion: pytest would write out every sample
    assert count == 1
    assert np.array_equal(sounds[0], pcm)
    assert played["underruns"] == 0


async def test_a_late_piece_is_played_whole_and_the_pause_is_counted(browser: Browser, hibari: WorkerProcess) -> None:
    pcm = np.arange(1, 4001, dtype=np.int16)
    async with visiting(browser, hibari.url + "/") as visit:
        played = await play(visit.page, pcm, [3001, 5001, len(pcm) * 2], late=1)
    first, second = between_silence(played["heard"])
    assert np.array_equal(np.concatenate([first, second]), pcm)
    assert len(first) == 1500
    assert played["underruns"] == 1


async def test_what_was_heard_can_be_paused_sought_and_played_again(browser: Browser, hibari: WorkerProcess) -> None:
    async with visiting(browser, hibari.url + "/") as visit:
        page = visit.page
        await speak(visit, SENTENCES[1])
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("meter", name="Loudness")).to_have_js_property("value", 0)
        await expect(page.get_by_role("button", name="Download WAV")).to_be_enabled()
        where = page.get_by_role("slider", name="Position")
        await where.focus()
        await page.keyboard.press("End")
        length = await page.locator("#length").inner_text()
        await expect(page.locator("#heard")).to_have_text(length)
        await page.keyboard.press("Home")
        await expect(page.locator("#heard")).to_have_text("0:00")
        async with heard(page):
            await page.get_by_role("button", name="Play").click()
        await expect(page.get_by_role("button", name="Play")).to_be_visible()  # once it has been heard
        await expect(page.locator("#heard")).to_have_text(length)
