"""Makes docs/page.png: the page in the middle of a sentence of the embedded voice. `make page-picture` runs it."""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import expect

from tests.support.worker.browser import ROOT, browsing, visiting
from tests.support.worker.serving import worker_process

SIZE = {"width": 1200, "height": 820}
HEARD = "0:03"
"""Where the playback is when the picture is taken."""


async def take(url: str, path: Path, scheme: str) -> None:
    """Speak the example and take the picture while it is being heard."""
    async with browsing() as browser, visiting(browser, url, viewport=SIZE, color_scheme=scheme) as visit:
        await expect(visit.page.get_by_role("status")).to_have_text("Ready")
        await visit.page.get_by_role("button", name="Speak").click()
        await expect(visit.page.get_by_role("button", name="Download WAV")).to_be_enabled()
        await visit.page.mouse.move(1, 1)
        await expect(visit.page.locator("#heard")).to_have_text(HEARD)
        await visit.page.screenshot(path=path)


def main() -> None:
    """Write the picture, or that of `scheme` light or dark at `path`."""
    scheme, path = sys.argv[1:] or ["light", str(ROOT / "docs/page.png")]
    with worker_process() as worker:
        worker.wait_for("ready")
        asyncio.run(take(worker.url + "/", Path(path), scheme))


if __name__ == "__main__":
    main()
