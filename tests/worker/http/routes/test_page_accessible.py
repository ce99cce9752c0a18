"""The page for everybody, in a real browser: keyboard, screen reader, contrast, small screens."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.browser import visiting
from tests.support.worker.page import READY, address, speak, status
from tests.support.worker.serving import serving, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
AUDIT = (Path(__file__).parents[3] / "support" / "worker" / "page_audit.js").read_text()
CONTROLS = {"button", "textbox", "combobox", "slider", "link", "meter", "DisclosureTriangle"}
FAINTEST = 4.5


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
