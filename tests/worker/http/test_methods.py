"""HEAD, OPTIONS and `Allow` of every route that the application has."""

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.raw_http import raw
from tests.support.worker.serving import serving
from ttsworker.http.app import ROUTES

EXAMPLES = {"/v1/models/{model:path}": "/v1/models/artificial", "/web/{name:path}": "/web/app.js"}
QUERY = {"text": "Hello.", "INPUT_TEXT": "Hello."}


def methods() -> dict[str, set[str]]:
    """The methods of each path, as the modules of the routes declare them."""
    found: dict[str, set[str]] = {"/openapi.json": {"GET"}}
    for module in ROUTES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            found.setdefault(EXAMPLES.get(route.path, route.path), set()).update(route.methods or set())
    found["/web/page.json"] |= found["/web/app.js"]
    return found


ALL = methods()


def allowed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("path", ALL)
async def test_every_method_of_a_path(path: str) -> None:
    declared = ALL[path]
    expected = declared | {"OPTIONS"} | ({"HEAD"} if "GET" in declared else set())
    engine = ArtificialEngine()
    async with serving(engine) as served:
        options = await served.client.options(path)
        assert (options.status_code, options.content) == (204, b"")
        assert allowed(options) == expected
        assert options.headers["x-request-id"]
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
            answer = await served.client.request(method, path, params=QUERY)
            if method in expected:
                assert answer.status_code not in {404, 405, 500}
                continue
            assert answer.status_code == 405
            assert allowed(answer) == expected
            assert method == "HEAD" or answer.json()["error"]["code"] == "method_not_allowed"
        engine.begun.clear()
        if "GET" in declared:
            head = await served.client.head(path, params=QUERY)
            get = await served.client.get(path, params=QUERY)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["content-type"] == get.headers["content-type"]
            if get.headers["content-type"].startswith("audio/"):
                assert engine.begun == ["Hello."]  # for the GET alone
                assert "content-length" not in head.headers
                for name in ("x-tts-model", "accept-ranges"):
                    assert head.headers[name] == get.headers[name]
            else:
                assert head.headers["content-length"] == str(len(get.content))


async def test_the_methods_of_the_server() -> None:
    async with serving(ArtificialEngine()) as served:
        for method, status in ((b"OPTIONS", b" 204 "), (b"GET", b" 405 ")):
            head, _ = await raw(served, method + b" * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (status in head, b"allow: DELETE, GET, HEAD, OPTIONS, POST" in head) == (True, True)


def test_the_table_has_several_methods_of_one_path() -> None:
    assert ALL["/api/tts"] == ALL["/process"] == {"GET", "POST"}
    assert len(ALL) > 12


@pytest.mark.parametrize("path", ["/nowhere", "/v1", "/api", "/web", "/metrics", "/docs", "/redoc"])
async def test_an_unknown_path_is_404_for_every_method(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
            answer = await served.client.request(method, path)
            assert (method, answer.status_code) == (method, 404)
            assert method == "HEAD" or answer.json()["error"]["code"] == "not_found"


async def test_the_head_of_wrong_speech_is_that_of_its_error() -> None:
    async with serving(ArtificialEngine()) as served:
        for query in ({}, {"text": ""}, {"text": "<b>"}, {"text": "a" * 5000}, {"text": "Hello.", "speaker_id": "x"}):
            assert (await served.client.head("/api/tts", params=query)).status_code == 400


async def test_the_schema_names_no_operation_twice() -> None:
    async with serving(ArtificialEngine()) as served:
        paths = (await served.client.get("/openapi.json")).json()["paths"]
        operations = [one["operationId"] for path in paths.values() for one in path.values()]
        assert len(set(operations)) == len(operations)
        assert not any("head" in path for path in paths.values())
