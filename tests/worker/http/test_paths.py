"""One spelling of each path: clients' base URLs all work, and no spelling goes round a key or a limit."""

from pathlib import Path

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import raw, status_and_code
from tests.support.worker.serving import Served, serving
from ttsworker.http.paths import canonical

SPELLINGS = [
    "/v1/audio/speech", "/v1/audio/speech/", "/v1/audio/speech//", "//v1/audio/speech", "/v1//audio/speech",
    "/v1/audio//speech/", "///v1///audio///speech///", "/audio/speech", "//audio/speech/", "/v1/v1/audio/speech",
    "//v1//v1/audio/speech", "/v1%2Faudio%2Fspeech", "/%2Fv1/audio/speech", "/v1/audio/speech%2F",
    "/v1/audio%2f/speech", "/%76%31/audio/speech", "/v1/audio/speec%68", "/audio%2Fspeech?x=1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/", "/"), ("//", "/"), ("///", "/"), ("", ""), ("*", "*"), ("/v1", "/v1"), ("/v1/", "/v1"),
        ("/v1/v1/v1/models", "/v1/models"), ("/models", "/v1/models"), ("/models/a/b/", "/v1/models/a/b"),
        ("/audio/voices", "/v1/audio/voices"), ("/audio/cache", "/v1/audio/cache"),
        ("/audio/models", "/v1/audio/models"),
        ("/api/tts/", "/api/tts"), ("//process", "/process"), ("/health/", "/health"), ("/web//app.js", "/web/app.js"),
        ("/web/", "/web"), ("/v1x/audio", "/v1x/audio"), ("/audiox", "/audiox"), ("/api/v1/audio", "/api/v1/audio"),
        ("/health/../v1/models", "/health/../v1/models"), ("/./v1/models", "/./v1/models"), ("/v1/.", "/v1/."),
    ],
)  # fmt: skip
def test_a_path_has_one_spelling(path: str, wanted: str) -> None:
    assert canonical(path) == wanted
    assert canonical(wanted) == wanted


BODY = b'{"input": "Hello."}'


async def ask(served: Served, path: str, method: str = "POST", more: str = "") -> tuple[int, bytes]:
    """Send a path as it is, which an HTTP client would not; returns the status and the head."""
    lines = [f"{method} {path} HTTP/1.1", "Host: evil.example", f"Content-Length: {len(BODY)}", "Connection: close"]
    head, _ = await raw(served, "\r\n".join([*lines, *([more] if more else []), "", ""]).encode() + BODY)
    return int(head.split()[1]), head.lower()


async def test_every_spelling_speaks_without_a_redirect() -> None:
    async with serving(ArtificialEngine()) as served:
        for path in SPELLINGS:
            status, head = await ask(served, path)
            assert (path, status, b"content-type: audio/mpeg" in head) == (path, 200, True)
        for path in ("/models", "/v1/models/", "//v1/models", "/models/artificial", "/v1/models/artificial/",
                     "/audio/voices", "/v1/audio/voices//", "/health/", "/ready/", "/openapi.json/", "//",
                     "http://other.example//v1/models"):  # fmt: skip
            assert (path, (await ask(served, path, "GET"))[0]) == (path, 200)
        assert value(served, "tts_requests_total", model="artificial", status="200") == len(SPELLINGS)


async def test_no_spelling_does_without_a_key(tmp_path: Path) -> None:
    keys, engine = tmp_path / "keys", ArtificialEngine()
    keys.write_text("alice alices-key-for-tests\n")
    async with serving(engine, api_keys_file=keys) as served:
        for path in (*SPELLINGS, "/health/v1/audio/speech", "/health/../v1/audio/speech", "/openapi.json/speech"):
            assert (path, (await ask(served, path))[0]) == (path, 401)
        for path in ("//web/../v1/audio/speech", "/web%2F..%2Fv1/audio/speech/x", "/web/%2e%2e/v1/audio/speech"):
            assert (path, (await ask(served, path))[0]) == (path, 405)  # a path of the page, which takes no POST
            assert (path, (await ask(served, path, "GET"))[0]) == (path, 404)
        assert engine.begun == []
        assert (await ask(served, "//audio/speech/", more="Authorization: Bearer alices-key-for-tests"))[0] == 200


async def test_no_spelling_goes_round_the_limit() -> None:
    async with serving(
        ArtificialEngine(), clock=ManualClock(), rate_limit_per_second=0.001, rate_limit_burst=3
    ) as served:
        statuses = [(await ask(served, path))[0] for path in SPELLINGS]
        assert statuses == [200] * 3 + [429] * (len(SPELLINGS) - 3)
        for path in ("/api/tts/?text=Hello.", "//process?INPUT_TEXT=Hello.", "/api%2Ftts?text=Hello."):
            for method in ("GET", "HEAD"):
                assert (path, (await ask(served, path, method))[0]) == (path, 429)


@pytest.mark.parametrize(
    "path", ["/v1/audio/speech/", "//evil.example/", "/v1/models/", "/nowhere/", "//nowhere", "/web/", "/api/tts/"]
)
async def test_no_location_is_built_from_the_host(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        status, head = await ask(served, path, "GET")
        assert status in {200, 400, 404, 405}
        assert b"location" not in head
        assert b"evil" not in head


async def test_an_address_without_a_path_is_refused() -> None:
    async with serving(ArtificialEngine()) as served:
        assert status_and_code(await raw(served, b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n")) == (400, "invalid_http")


def value(served: Served, name: str, **labels: str) -> float | None:
    return served.worker.metrics.registry.get_sample_value(name, labels)
