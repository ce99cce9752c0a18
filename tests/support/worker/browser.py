"""A real browser, Debian's Chromium, on the worker's page; nobody's errors go unnoticed."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Request, Response, async_playwright

from tests.support.worker.serving import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[3]

ARGUMENTS = (
    "--no-sandbox",  # CI is root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visit:
    """A tab that shows the page, and what it asked for since it was opened."""

    page: Page
    requests: list[Request] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        """What it asked to be spoken."""
        return [request.post_data_json for request in self.requests if request.method == "POST"]

    def on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {urlsplit(response.url).path}")

    def on_console(self, kind: str, text: str) -> None:
        # Of requests that fail the browser tells by itself; that is looked at by the tests that expect it.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource"):
            self.complaints.append(f"{kind}: {text}")


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Start the browser that hack/tools finds or installs."""
    tool = [sys.executable, str(ROOT / "hack/tools"), "chromium"]
    path = subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: ASYNC221 - once
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), timeout=PATIENCE_SECONDS * 1000
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, **look: Any) -> AsyncIterator[Visit]:
    """Open the page. At the end it must have asked nobody but its worker, and its console must be empty."""
    context = await browser.new_context(**look)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    visit = Visit(await context.new_page())
    visit.page.on("request", lambda request: visit.requests.append(request))  # noqa: PLW0108 - marked by playwright, which a builtin cannot be
    visit.page.on("response", lambda response: visit.on_response(response))  # noqa: PLW0108 - likewise
    visit.page.on("console", lambda message: visit.on_console(message.type, message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    try:
        await visit.page.goto(url)
        yield visit
        assert await context.cookies() == []
    finally:
        await context.close()
    assert visit.complaints == []
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in (urlsplit(request.url) for request in visit.requests)}
    assert origins <= {url.rstrip("/"), "blob://"}
