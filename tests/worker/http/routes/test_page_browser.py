"""The page, used as people do, in a real browser."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.artificial import ArtificialEngine, tone
from tests.support.worker.browser import Visit, browsing, visiting
from tests.support.worker.serving import PATIENCE_SECONDS, Served, WorkerProcess, serving, until
from ttsworker.engines import Utterance

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIT = (Path(__file__).parents[3] / "support" / "worker" / "page_audit.js").read_text()
CONTROLS = {"button", "textbox", "combobox", "slider", "link", "meter", "DisclosureTriangle"}
FAINTEST = 4.5
READY = "Ready"

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


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


async def test_a_refusal_is_told_in_the_workers_words(browser: Browser, hibari: WorkerProcess) -> None:
    async with visiting(browser, hibari.url + "/") as visit:
        await speak(visit, "a" * 4097)
        alert = visit.page.get_by_role("alert")
        await expect(alert).to_have_text("input has 4097 characters, at most 4096 are spoken in one request: split it")
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
        await expect(alert).to_contain_text("broken off before its end")
        await expect(status(visit.page)).to_contain_text("Broken off after")
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


async def test_the_keyboard_suffices(browser: Browser) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served, visiting(browser, address(served)) as visit:
        page = visit.page
        await expect(status(page)).to_have_text(READY)
        order = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            order.append(await page.evaluate("document.activeElement.id || document.activeElement.localName"))
        assert order == ["text", "voice", "language", "speed", "speak", "summary", "a"]
        await page.get_by_label("Text to speak").focus()
        await page.keyboard.press("Control+A")
        await page.keyboard.type("Typed. HOLD it.")
        await page.keyboard.press("Control+Enter")
        await until(lambda: engine.begun == ["Typed.", "HOLD it."])
        await page.keyboard.press("Escape")
        await until(lambda: served.worker.admission.accepted == 0)
        engine.held.set()
        await page.get_by_label("Speed").focus()
        await page.keyboard.press("End")
        await page.get_by_role("button", name="Speak").focus()
        await page.keyboard.press("Control+Enter")
        await expect(status(page)).to_contain_text("times real time")
        for name in ("Download WAV", "Position"):  # now there is something to do with them
            await expect(page.get_by_label(name).or_(page.get_by_role("button", name=name))).to_be_enabled()
        assert [body["speed"] for body in visit.bodies] == [1, 4]


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
    keys.write_text("somebody the-right-key\n")
    async with (
        serving(ArtificialEngine(), api_keys_file=keys) as served,
        visiting(browser, address(served)) as visit,
    ):
        page, hint = visit.page, visit.page.locator("#key-hint")
        await expect(status(page)).to_have_text("An API key is needed")
        await expect(hint).to_have_text("This worker asks for a key. It is kept until you close this tab.")
        await expect(page.get_by_label("API key")).to_be_focused()
        await page.keyboard.type("the-wrong-key")
        await page.keyboard.press("Enter")
        await expect(hint).not_to_contain_text("This worker asks for a key")
        await expect(page.get_by_role("button", name="Speak")).to_be_disabled()
        await page.get_by_label("API key").fill("the-right-key")
        await page.get_by_role("button", name="Use key").click()
        await expect(page.get_by_label("API key")).to_be_hidden()
        await speak(visit, "Spoken with a key.")
        await expect(page.get_by_role("button", name="Download WAV")).to_be_enabled()
        assert np.array_equal(samples(await downloaded(page)), tones("Spoken with a key."))
        assert "the-right-key" not in page.url + await page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_control_has_a_name_and_every_text_can_be_read(browser: Browser, scheme: str) -> None:
    async with serving(ArtificialEngine()) as served, visiting(browser, address(served), color_scheme=scheme) as visit:
        page = visit.page
        await speak(visit, "This is heard. FAIL here.")
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_text("The same from a shell").click()
        await page.evaluate("document.getElementById('key-form').hidden = false")
        session = await page.context.new_cdp_session(page)
        tree = await session.send("Accessibility.getFullAXTree")
        named = [
            (node["role"]["value"], node["name"]["value"])
            for node in tree["nodes"]
            if not node["ignored"] and node["role"]["value"] in CONTROLS
        ]
        assert {role for role, _ in named} == CONTROLS
        assert [role for role, name in named if not name.strip()] == []
        assert len(named) >= 14
        measured = await page.evaluate(AUDIT)
        assert len(measured) > 15
        assert [each for each in measured if each["contrast"] < FAINTEST] == []


async def test_it_fits_a_width_of_320_pixels(browser: Browser) -> None:
    small = {"width": 320, "height": 640}
    async with serving(ArtificialEngine()) as served, visiting(browser, address(served), viewport=small) as visit:
        await speak(visit, "Wide" * 100 + ". FAIL here.")
        await expect(visit.page.get_by_role("alert")).to_be_visible()
        await visit.page.get_by_text("The same from a shell").click()
        assert await visit.page.evaluate("document.documentElement.scrollWidth") == 320
        beyond = """[...document.querySelectorAll("main *, header *, footer *")]
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > 320)
            .map((each) => each.outerHTML)"""
        assert await visit.page.evaluate(beyond) == []
