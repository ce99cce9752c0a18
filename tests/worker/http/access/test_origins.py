"""Requests that a page of another site makes a browser send are refused; programs and the worker's own page are not."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import serving
from ttsworker.http.access.origins import from_another_site

FORM = "application/x-www-form-urlencoded"
EVIL = "https://evil.example"

FOREIGN: list[Mapping[str, str]] = [
    {"origin": EVIL, "content-type": "text/plain"},  # a form whose JSON is a field's name
    {"origin": EVIL, "content-type": FORM},  # a form, or fetch with mode no-cors
    {"origin": EVIL, "content-type": "multipart/form-data; boundary=x"},
    {"origin": EVIL},  # fetch with a Blob that has no type
    {"origin": "null", "content-type": FORM},  # a sandboxed frame, a data: page, a local file
    {"origin": "http://worker.evil.example:5002"},
    {"origin": "http://worker@evil.example"},
    {"origin": "not a url ["},
    {"origin": ""},
    {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},  # <img src="/api/tts?text=...">
    {"sec-fetch-site": "cross-site", "sec-fetch-dest": "audio"},
    {"sec-fetch-site": "cross-site", "origin": EVIL, "content-type": FORM},
    {"sec-fetch-site": "cross-site", "host": "localhost:5002"},
]

OWN: list[Mapping[str, str]] = [
    {},
    {"content-type": FORM},  # curl -d
    {"content-type": "application/json"},
    {"content-type": "application/json", "origin": EVIL},  # a browser has asked, and somebody has agreed
    {"sec-fetch-site": "same-origin", "content-type": FORM, "origin": "https://tts.example.com"},
    {"sec-fetch-site": "same-site", "origin": "https://app.example.com", "host": "tts.example.com"},
    {"sec-fetch-site": "none"},  # an address that a person typed
    {"origin": "http://worker:5002", "content-type": FORM},
    {"origin": "http://worker:3000"},  # another port of the same machine
    {"origin": "https://WORKER"},
    {"origin": "https://tts.example.com", "x-forwarded-host": "tts.example.com", "content-type": FORM},
    {"origin": "http://[::1]:5002", "host": "[::1]:5002"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_sites_page_is_recognised(headers: Mapping[str, str]) -> None:
    assert from_another_site(Headers({"host": "worker:5002", **headers}))


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_programs_and_the_own_page_are_let_in(headers: Mapping[str, str]) -> None:
    assert not from_another_site(Headers({"host": "worker:5002", **headers}))


REQUESTS = [
    ("POST", "/v1/audio/speech", b'{"input": "Hello."}'),
    ("GET", "/api/tts?text=Hello.", None),
    ("POST", "/api/tts", b"text=Hello."),
    ("GET", "/process?INPUT_TEXT=Hello.", None),
    ("POST", "/process", b"INPUT_TEXT=Hello."),
]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_no_way_to_speak_is_open_to_other_sites(method: str, path: str, body: bytes | None) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:

        async def ask(**headers: str) -> httpx.Response:
            return await served.client.request(method, path, content=body, headers={"Content-Type": FORM, **headers})

        spoken = list(engine.begun)
        for foreign in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await ask(**foreign)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
        assert engine.begun == spoken
        assert (await ask()).status_code == 200
        assert (await ask(Origin=f"http://127.0.0.1:{served.port}")).status_code == 200
        sample = served.worker.metrics.registry.get_sample_value("tts_rejected_total", {"reason": "cross_site"})
        assert sample == 2


@pytest.mark.parametrize("allowed", [[EVIL], ["https://other.example", EVIL], ["*"]])
async def test_an_allowed_origin_may_speak(allowed: list[str]) -> None:
    headers = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    async with serving(ArtificialEngine(), allowed_origins=allowed) as served:
        for method, path, body in REQUESTS:
            answer = await served.client.request(method, path, content=body, headers={"Content-Type": FORM, **headers})
            assert answer.status_code == 200


async def test_another_origin_is_not_allowed() -> None:
    headers = {"Origin": f"{EVIL}.example", "Sec-Fetch-Site": "cross-site"}
    async with serving(ArtificialEngine(), allowed_origins=[EVIL]) as served:
        assert (await served.client.get("/api/tts?text=Hello.", headers=headers)).status_code == 403
        assert (await served.client.options("/api/tts?text=Hello.", headers=headers)).status_code != 403


async def test_a_key_proves_who_asks(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("alice alices-key-for-tests\n")
    headers = {"X-API-Key": "alices-key-for-tests", "Origin": EVIL, "Content-Type": FORM}
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        answer = await served.client.post("/v1/audio/speech", content=b'{"input": "Hello."}', headers=headers)
        assert answer.status_code == 200
