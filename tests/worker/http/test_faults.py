"""A bug of the worker is answered in the shape of every error, and a client that leaves is one line of the log."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
import uvloop

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.raw_http import raw, status_and_code
from tests.support.worker.serving import Served, serving, until
from ttsworker.http.access.gate import Gate
from ttsworker.scheduling.admission import Admission

ROUTES = [
    ("GET", "/v1/models"), ("GET", "/v1/audio/voices"), ("GET", "/v1/audio/models"), ("GET", "/details"),
    ("GET", "/voices"), ("GET", "/locales"), ("GET", "/api/tts?text=Hello."), ("HEAD", "/api/tts?text=Hello."),
    ("POST", "/process"),
    ("POST", "/v1/audio/speech"), ("GET", "/web/page.json"), ("DELETE", "/v1/audio/cache?input=Hello."),
]  # fmt: skip


class Bug(Exception):
    pass


def fail(*_: object) -> None:
    raise Bug("its own words, with a secret")


def check(answer: httpx.Response, caplog: pytest.LogCaptureFixture) -> None:
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    if answer.request.method != "HEAD":
        error = answer.json()["error"]
        assert (error["type"], error["code"], error["param"]) == ("server_error", "internal_error", None)
        assert error["message"].endswith(f"the worker's log has it under {answer.headers['x-request-id']}")
        assert "secret" not in answer.text
    assert [line.message for line in caplog.records if line.exc_info] == ["unexpected error"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_bug_in_a_route(
    method: str, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(ArtificialEngine()) as served:
        with monkeypatch.context() as broken:
            broken.setattr(type(served.worker.parts), "failover", property(fail), raising=False)
            answer = await served.client.request(method, path, json={"input": "Hello."})
        check(answer, caplog)
        assert (await served.client.get("/v1/models")).status_code == 200


async def test_a_bug_in_access_control(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(ArtificialEngine()) as served:
        monkeypatch.setattr(Gate, "identify", fail)
        check(await served.client.get("/v1/models"), caplog)


async def test_a_bug_before_the_first_audio(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(ArtificialEngine()) as served:
        monkeypatch.setattr(Admission, "enter", fail)
        check(await served.client.post("/v1/audio/speech", json={"input": "Hello."}), caplog)


async def test_a_parameter_of_a_wrong_type_is_told_in_the_same_shape() -> None:
    async with serving(ArtificialEngine()) as served:
        for path in ("/v1/audio/cache?key=a&key=b", "/v1/audio/cache", "/v1/audio/cache?key="):
            answer = await served.client.delete(path)
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def post(text: str, *headers: bytes, without: int = 0) -> bytes:
    body = json.dumps({"input": text, "response_format": "pcm"}).encode()
    head = [b"POST /v1/audio/speech HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(body), *headers]
    sent = b"\r\n".join([*head, b"", body])
    return sent[: len(sent) - without]


def get(path: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path


LEAVING = {
    "one request": post("Begun."),
    "several": b"".join(post(text) for text in ("Begun.", "Second.", "Third.")),
    "a stream": post("Begun. And more. " * 3) + post("Second."),
    "half a second body": post("Begun.") + post("Second.", without=5),
    "half a second head": post("Begun.") + b"POST /v1/audio/speech HTTP/1.1\r\nHo",
    "other requests after it": post("Begun.") + get(b"/v1/models") * 5 + get(b"/openapi.json") * 3,
    "garbage after it": post("Begun.") + b"\x00\x01\x02\r\n\r\n",
    "an error after it": post("Begun.") + post("") + get(b"/nowhere"),
    "another address": get(b"/api/tts?text=Begun.") + get(b"/process?INPUT_TEXT=Second."),
    "an offer": post("Begun.") + post("Second.", b"Connection: Upgrade", b"Upgrade: websocket"),
    "HTTP/1.0": post("Begun. And more.").replace(b"HTTP/1.1", b"HTTP/1.0"),
}


def in_uvloop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run in the event loop of the worker, whose transports complain in another way than asyncio's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())


@pytest.mark.parametrize("abruptly", [True, False], ids=["reset", "closed"])
@pytest.mark.parametrize("name", LEAVING)
def test_who_leaves_is_one_line(name: str, abruptly: bool, caplog: pytest.LogCaptureFixture) -> None:  # noqa: FBT001
    caplog.set_level(logging.INFO)

    async def leave() -> None:
        engine = ArtificialEngine()
        async with serving(engine) as served:
            engine.gate.clear()
            await leave_after(served, LEAVING[name], abruptly=abruptly, begun=lambda: bool(engine.begun))
            await until(lambda: served.worker.admission.accepted == 0)
            engine.gate.set()
            await until(lambda: "request" in [line.message for line in caplog.records if "status" in vars(line)])
            assert (await served.client.post("/v1/audio/speech", json={"input": "Next."})).status_code == 200
            assert engine.begun == ["Begun.", "Next."]

    in_uvloop(leave)
    check_lines(caplog)


@pytest.mark.parametrize("sent", [post("Never.", without=3), post("Never.", b"Expect: 100-continue", without=30)])
def test_who_leaves_before_the_end_of_the_body_is_one_line(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def leave() -> None:
        engine = ArtificialEngine()
        async with serving(engine) as served:
            requests: list[object] = []
            served.worker.parts.admission.check_open = lambda: requests.append(1)  # type: ignore[method-assign]
            await leave_after(served, sent, abruptly=True, begun=lambda: bool(requests))
            await until(lambda: "499" in statuses(caplog))
            assert engine.begun == []

    in_uvloop(leave)
    check_lines(caplog)


async def leave_after(served: Served, sent: bytes, *, abruptly: bool, begun: Callable[[], bool]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent)
    await until(begun)
    if abruptly:
        writer.transport.abort()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def statuses(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(vars(line)["status"]) for line in caplog.records if line.name.startswith("ttsworker.http.telemetry")]


def check_lines(caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(caplog)[:1] == ["499"]
    assert set(statuses(caplog)[1:]) <= {"200"}
    assert [line for line in caplog.records if line.levelno > logging.INFO or line.exc_info] == []


async def test_a_body_that_does_not_end_is_503_at_the_end_of_the_drain(
    received: bytearray, caplog: pytest.LogCaptureFixture
) -> None:
    sent = post("Never.", without=3)
    async with serving(ArtificialEngine(), drain_timeout_seconds=1) as served:
        asked = asyncio.create_task(raw(served, sent))
        await until(lambda: received == sent)
        served.stop.set()
        assert status_and_code(await asked) == (503, "draining")
        await served.ended
    assert [line for line in caplog.records if line.exc_info] == []
