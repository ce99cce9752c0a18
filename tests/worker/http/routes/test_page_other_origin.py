"""A page of another origin, in a real browser, uses the API where the settings allow its origin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import PATIENCE_SECONDS, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPEAK = """async ([url, key]) => {
    try {
        const answer = await fetch(url, {
            method: "POST",
            headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}`, "X-Stainless-OS": "Linux" },
            body: JSON.stringify({ input: "Hello.", response_format: "wav" }),
        });
        const bytes = (await answer.arrayBuffer()).byteLength;
        const names = ["X-TTS-Model", "X-TTS-Cached-Sentences", "X-Request-ID", "WWW-Authenticate"];
        return { status: answer.status, bytes, headers: names.map((name) => answer.headers.get(name)) };
    } catch (error) {
        return { error: error.name };
    }
}"""


@asynccontextmanager
async def other_page(browser: Browser) -> AsyncIterator[tuple[str, Page]]:
    """A blank page of a small web server; yields its origin and the page."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        context = await browser.new_context()
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = await context.new_page()
        try:
            await page.goto(origin + "/")
            yield origin, page
        finally:
            await context.close()


async def test_an_allowed_page_speaks_and_reads_headers_and_errors(browser: Browser, keys: Path) -> None:
    async with (
        other_page(browser) as (origin, page),
        serving(ArtificialEngine(), api_keys_file=keys, allowed_origins=[origin]) as served,
    ):
        url = f"http://127.0.0.1:{served.port}/v1/audio/speech"
        told: dict[str, Any] = await page.evaluate(SPEAK, [url, "alices-key-for-tests"])
        assert told["status"] == 200
        assert told["bytes"] > 44
        assert told["headers"][:2] == ["artificial", "0/1"]
        assert told["headers"][2]
        refused: dict[str, Any] = await page.evaluate(SPEAK, [url, "wrong"])
        assert (refused["status"], refused["headers"][3]) == (401, "Bearer")


async def test_a_page_that_is_not_allowed_cannot_speak(browser: Browser, keys: Path) -> None:
    engine = ArtificialEngine()
    async with other_page(browser) as (_, page):
        for origins in ([], ["https://app.example.org"]):
            async with serving(engine, api_keys_file=keys, allowed_origins=origins) as served:
                url = f"http://127.0.0.1:{served.port}/v1/audio/speech"
                assert await page.evaluate(SPEAK, [url, "alices-key-for-tests"]) == {"error": "TypeError"}
    assert engine.begun == []
