"""What a browser hears about pages of other origins: preflights, answers and errors."""

import json
from pathlib import Path

import httpx
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import raw
from tests.support.worker.serving import serving
from ttsworker.settings import InvalidSettings, load_settings

PAGE = "https://app.example.org"
OTHERS = ["https://app.example.org:8443", "http://app.example.org", "https://evil.org", "https://app.example.org.evil.org",
          "null", "https://xapp.example.org", "HTTPS://APP.EXAMPLE.ORG"]  # fmt: skip


def preflight(origin: str = PAGE, method: str = "POST", headers: str = "authorization,content-type") -> dict[str, str]:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return {"Origin": origin, **asked}


def allowed(answer: httpx.Response) -> str | None:
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("path", [SPEECH, "/v1/audio/voices", "/audio/speech", "//api/tts/", "/nowhere"])
async def test_a_preflight_needs_no_key(path: str, method: str, keys: Path) -> None:
    headers = preflight(method=method, headers="authorization, content-type, x-stainless-os, x-api-key, traceparent")
    async with serving(ArtificialEngine(), api_keys_file=keys, allowed_origins=[PAGE]) as served:
        url = f"http://127.0.0.1:{served.port}{path}"
        answer = await served.client.options(url, headers=headers)
        assert (answer.status_code, allowed(answer)) == (200, PAGE)
        assert method in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == headers["Access-Control-Request-Headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]
        assert (await served.client.options(url, headers={"Origin": PAGE})).status_code == 401  # it is no preflight


@pytest.mark.parametrize("origin", OTHERS)
async def test_another_origin_is_refused_in_the_shape_of_every_error(origin: str) -> None:
    engine = ArtificialEngine()
    async with serving(engine, allowed_origins=[PAGE, "http://localhost:3000"]) as served:
        answer = await served.client.options(SPEECH, headers=preflight(origin))
        assert (answer.status_code, answer.json()["error"]["code"], allowed(answer)) == (400, "cors_refused", None)
        plain = await served.client.get("/v1/models", headers={"Origin": origin})
        assert (plain.status_code, allowed(plain)) == (200, None)  # the browser hides it from the page


async def test_the_refusal_of_a_method_names_those_that_a_page_may_use() -> None:
    async with serving(ArtificialEngine(), allowed_origins=[PAGE]) as served:
        error = (await served.client.options(SPEECH, headers=preflight(method="PUT"))).json()["error"]
        assert (error["code"], "GET, HEAD, POST" in error["message"]) == ("cors_refused", True)
        assert "allowed_origins" not in error["message"]


async def test_without_allowed_origins_no_answer_has_a_cors_header() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.options(SPEECH, headers=preflight())
        assert answer.status_code == 204
        plain = await served.client.get("/v1/models", headers={"Origin": PAGE})
        for one in (answer, plain):
            assert not [name for name in one.headers if name.startswith("access-control")]


async def test_a_page_may_read_headers_and_every_error(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, page = {"X-API-Key": "alices-key-for-tests"}, {"Origin": PAGE}
    async with serving(
        ArtificialEngine(), clock=ManualClock(), api_keys_file=keys, rate_limit_per_second=0.001, rate_limit_burst=2,
        allowed_origins=[PAGE],
    ) as served:  # fmt: skip

        async def speak(text: str, headers: dict[str, str]) -> httpx.Response:
            return await served.client.post(SPEECH, json={"input": text}, headers=headers)

        answers = [
            (await speak("Hello.", page), 401),
            (await speak("Hello.", page | key), 200),
            (await speak("", page | key), 400),
            (await speak("Hello.", page | key), 429),
            (await served.client.get("/nowhere", headers=page | key), 404),
            (await served.client.put("/v1/models", headers=page | key), 405),
        ]
        monkeypatch.setattr(ArtificialEngine, "voices", None)
        answers.append((await served.client.get("/v1/audio/voices", headers=page | key), 500))
        for answer, status in answers:
            assert (answer.status_code, allowed(answer)) == (status, PAGE)
            assert answer.headers["access-control-expose-headers"] == "*"
            assert answer.headers["vary"] == "Origin"
            assert answer.headers["x-request-id"]
        assert answers[1][0].headers["x-tts-model"] == "artificial"
        assert answers[3][0].headers["retry-after"]


async def test_a_star_allows_every_page() -> None:
    async with serving(ArtificialEngine(), allowed_origins=["*"]) as served:
        for origin in [PAGE, *OTHERS]:
            answer = await served.client.options(SPEECH, headers=preflight(origin))
            assert (answer.status_code, allowed(answer)) == (200, "*")
            assert allowed(await served.client.get("/v1/models", headers={"Origin": origin})) == "*"


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.org/", "https://app.example.org/page", "app.example.org", "https://", "https://App.example.org",
     "https://*.example.org", "null", "", "https://a b", "**", "https://a.org,https://b.org", "https://a@b.org",
     "https://" + "a" * 300],
)  # fmt: skip
def test_what_is_no_origin_is_told(origin: str, tmp_path: Path) -> None:
    path = tmp_path / "worker.json"
    path.write_text(json.dumps({"allowed_origins": [origin]}))
    with pytest.raises(InvalidSettings, match=r"is not an origin: write it like https://app\.example\.org"):
        load_settings({"TTSWORKER_CONFIG": str(path)})


def test_origins_in_the_environment_have_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = ["https://app.example.org", "http://localhost:3000", "http://[::1]:8080", "app://obsidian.md",
               "capacitor://localhost", "chrome-extension://abcdefghijklmnop", "http://10.0.0.1", "*"]  # fmt: skip
    monkeypatch.setenv("TTSWORKER_ALLOWED_ORIGINS", " , ".join(origins))
    assert load_settings().allowed_origins == origins
    monkeypatch.setenv("TTSWORKER_ALLOWED_ORIGINS", ",".join(["https://a.org"] * 65))
    with pytest.raises(InvalidSettings, match="at most 64"):
        load_settings()


@pytest.mark.parametrize("value", [b"x-a, " * 2000, b"\xff\xfe", b"a\x7fb", b"a\x01b", b",,,", b""])
async def test_a_strange_preflight_is_no_error_of_the_worker(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    lines = [
        b"OPTIONS /v1/audio/speech HTTP/1.1", b"Host: x", b"Connection: close", b"Origin: https://app.example.org",
        b"Access-Control-Request-Method: POST", b"Access-Control-Request-Headers: " + value,
    ]  # fmt: skip
    async with serving(ArtificialEngine(), allowed_origins=[PAGE]) as served:
        head, _ = await raw(served, b"\r\n".join([*lines, b"", b""]))
        assert head.split()[1] in {b"200", b"400"}
    assert [line for line in caplog.records if line.exc_info] == []
