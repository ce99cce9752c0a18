"""The page, used as people do, in a real browser."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.async_api import Browser, expect

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.browser import visiting
from tests.support.worker.page import READY, address, downloaded, drawn, heard, samples, speak, status, tones
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_sentence_is_heard_drawn_and_downloaded(browser: Browser, hibari: WorkerProcess) -> None:
    async with visiting(browser, hibari.url + "/") as visit:
        page = visit.page
        await expect(status(page)).to_have_text(READY)
        assert "heart" in await page.get_by_label("Voice").inner_text()
        blank = await drawn(page)
        async with heard(page):
            await speak(visit, SENTENCES[0])
        await expect(status(page)).to_contain_text("First audio after")
        assert await drawn(page) != blank
        wav = await downloaded(page)
        assert recognise(wav) == SENTENCES[0]
        await expect(page.get_by_role("button", name="Play")).to_be_visible()  # it was Pause until the end
        assert visit.refused == []
        assert visit.bodies == [{"input": SENTENCES[0], "voice": "heart", "speed": 1, "response_format": "pcm"}]
    async with httpx.AsyncClient(base_url=hibari.url, timeout=PATIENCE_SECONDS) as client:
        told = await client.post("/v1/audio/speech", json={"input": SENTENCES[0], "response_format": "wav"})
    assert np.array_equal(samples(wav), samples(told.content))


async def test_it_is_heard_while_the_rest_is_being_spoken(browser: Browser) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served, visiting(browser, address(served)) as visit:
        page = visit.page
        async with heard(page):
            await speak(visit, "The first one. HOLD the second one.")
        await expect(page.get_by_role("button", name="Download WAV")).to_be_disabled()
        early = await drawn(page)
        engine.held.set()
        await expect(status(page)).to_contain_text("times real time")
        assert await drawn(page) != early
        assert np.array_equal(samples(await downloaded(page)), tones("The first one.", "HOLD the second one."))


async def test_a_refusal_is_told_in_the_workers_words(browser: Browser, hibari: WorkerProcess) -> None:
    async with visiting(browser, hibari.url + "/") as visit:
        await speak(visit, "a" * 4097)
        alert = visit.page.get_by_role("alert")
        await expect(alert).to_have_text("input has 4097 characters, but a request may have at most 4096: split it")
        await expect(visit.page.locator("#count")).to_have_text("4,097 of 4,096 characters, 1 too many")
        assert visit.refused == ["400 /v1/audio/speech"]
        await visit.page.get_by_label("Text to speak").fill(SENTENCES[0])
        await visit.page.get_by_role("button", name="Speak").click()
        await expect(alert).to_be_hidden()
        await expect(visit.page.locator("#count")).to_have_text(f"{len(SENTENCES[0])} of 4,096 characters")


async def test_a_failure_before_and_amid_the_speech_is_told(browser: Browser) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served, visiting(browser, address(served)) as visit:
        alert = visit.page.get_by_role("alert")
        await speak(visit, "FAIL at once.")
        await expect(alert).to_contain_text("the engine failed at this text")
        await expect(status(visit.page)).to_have_text("Nothing was spoken")
        await visit.page.get_by_label("Text to speak").fill("This one is heard. HOLD and FAIL here.")
        await visit.page.get_by_role("button", name="Speak").click()
        # A browser forgets what it has received and not yet given to the page when the answer breaks off.
        await expect(visit.page.locator("#position")).to_be_enabled()
        engine.held.set()
        await expect(alert).to_contain_text("ended early")
        await expect(status(visit.page)).to_contain_text("Interrupted after")
        whole, kept = tones("This one is heard."), samples(await downloaded(visit.page))
        assert len(kept) > 0
        assert np.array_equal(kept, whole[: len(kept)])


async def test_stop_cancels_the_request_at_the_worker(browser: Browser) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served, visiting(browser, address(served)) as visit:
        async with heard(visit.page):
            await speak(visit, "The first one. HOLD the second one. Never the third one.")
        assert served.worker.admission.accepted == 1
        await visit.page.get_by_role("button", name="Stop").click()
        await until(lambda: served.worker.admission.accepted == 0)
        await expect(status(visit.page)).to_contain_text("Stopped after")
        await expect(visit.page.get_by_role("button", name="Speak")).to_be_focused()
        await expect(visit.page.get_by_role("alert")).to_be_hidden()
        engine.held.set()
        assert not any("third" in text for text in engine.begun)


async def test_speaking_anew_gives_up_what_is_being_spoken(browser: Browser) -> None:
    engine = ArtificialEngine(parallelism=2)
    async with serving(engine) as served, visiting(browser, address(served)) as visit:
        await speak(visit, "The first text. HOLD its end.")
        await until(lambda: len(engine.begun) == 2)
        await visit.page.get_by_label("Text to speak").fill("Another text.")
        await visit.page.get_by_role("button", name="Speak").click()
        await expect(status(visit.page)).to_contain_text("times real time")
        await until(lambda: served.worker.admission.accepted == 0)
        assert np.array_equal(samples(await downloaded(visit.page)), tones("Another text."))
        engine.held.set()


async def test_the_language_follows_the_voice_and_so_does_an_untouched_example(browser: Browser) -> None:
    async with serving(ArtificialEngine()) as served, visiting(browser, address(served)) as visit:
        page = visit.page
        text = page.get_by_label("Text to speak")
        await expect(text).to_have_value(
            "Hello, this voice reads what you write. Type something of your own, and listen."
        )
        await page.get_by_label("Voice").select_option("two")
        await expect(text).to_have_value(
            "Guten Tag, diese Stimme liest, was Sie schreiben. Schreiben Sie etwas und hören Sie zu."
        )
        await expect(text).to_have_attribute("lang", "de")
        await text.fill("My own.")
        await page.get_by_label("Language").select_option("English")
        await page.get_by_label("Voice").select_option("one")
        await page.get_by_label("Voice").select_option("two")
        await expect(text).to_have_value("My own.")
        await page.get_by_role("button", name="Speak").click()
        await expect(status(page)).to_contain_text("times real time")
        wanted = {"input": "My own.", "voice": "two", "language": "de", "speed": 1, "response_format": "pcm"}
        assert visit.bodies == [wanted]


async def test_the_shell_command_says_the_same(browser: Browser, hibari: WorkerProcess, tmp_path: Path) -> None:
    async with visiting(browser, hibari.url + "/") as visit:
        await expect(status(visit.page)).to_have_text(READY)
        await visit.page.get_by_label("Text to speak").fill('It\'s said: $HOME `here` \\ and "there".')
        command = await visit.page.locator("#shell").text_content()
        assert command
    shell = await asyncio.create_subprocess_shell(f"{command} --silent --fail", cwd=tmp_path)
    assert await shell.wait() == 0
    assert len(samples((tmp_path / "speech.wav").read_bytes())) > 24_000


async def test_while_the_model_is_being_loaded_the_page_waits(browser: Browser) -> None:
    engine = ArtificialEngine()
    engine.flowing.clear()
    async with serving(engine, wait=False) as served, visiting(browser, address(served)) as visit:
        await expect(status(visit.page)).to_have_text("The model is being loaded")
        await expect(visit.page.get_by_role("button", name="Speak")).to_be_disabled()
        engine.flowing.set()
        await expect(status(visit.page)).to_have_text(READY)
        await expect(visit.page.get_by_role("button", name="Speak")).to_be_enabled()


async def test_where_a_key_is_needed_the_page_asks_for_it(browser: Browser, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("somebody the-right-key-of-somebody\n")
    async with (
        serving(ArtificialEngine(), api_keys_file=keys) as served,
        visiting(browser, address(served)) as visit,
    ):
        page, hint = visit.page, visit.page.locator("#key-hint")
        await expect(status(page)).to_have_text("Enter an API key")
        await expect(hint).to_have_text("This worker needs a key. It is kept until you close this tab.")
        await expect(page.get_by_label("API key")).to_be_focused()
        await page.keyboard.type("the-wrong-key")
        await page.keyboard.press("Enter")
        await expect(hint).not_to_contain_text("This worker needs a key")
        await expect(page.get_by_role("button", name="Speak")).to_be_disabled()
        await page.get_by_label("API key").fill("the-right-key-of-somebody")
        await page.get_by_role("button", name="Use key").click()
        await expect(page.get_by_label("API key")).to_be_hidden()
        await speak(visit, "Spoken with a key.")
        await expect(page.get_by_role("button", name="Download WAV")).to_be_enabled()
        assert np.array_equal(samples(await downloaded(page)), tones("Spoken with a key."))
        assert "the-right-key-of-somebody" not in page.url + await page.content()
