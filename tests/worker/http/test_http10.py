"""Clients of HTTP/1.0, such as nginx by default and ApacheBench: no chunk marks, and the end is the connection's."""

import asyncio
import json
import shutil

import numpy as np
import pytest
import uvloop

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import spoken
from tests.support.worker.raw_http import raw
from tests.support.worker.serving import serving, until

TEXT = "The first one. The second one. The third one."
AUDIO = spoken("The first one.", "The second one.", "The third one.").tobytes()


def request(
    body: bytes | None = None, *headers: str, path: str = "/v1/audio/speech", method: str = "POST", version: str = "1.0"
) -> bytes:
    body = json.dumps({"input": TEXT, "response_format": "pcm"}).encode() if body is None else body
    lines = [f"{method} {path} HTTP/{version}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def fields(head: bytes) -> dict[str, str]:
    lines = head.decode().lower().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    "headers",
    [(), ("Connection: keep-alive",), ("Connection: close",), ("Expect: 100-continue",), ("TE: trailers",),
     ("Connection: Upgrade", "Upgrade: websocket"), ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")],
)  # fmt: skip
async def test_streamed_audio_ends_with_the_connection(headers: tuple[str, ...]) -> None:
    async with serving(ArtificialEngine()) as served:
        head, body = await raw(served, request(None, *headers))
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert fields(head)["connection"] == "close"
        assert not {"transfer-encoding", "content-length"} & set(fields(head))
        assert body == AUDIO


@pytest.mark.parametrize("form", ["mp3", "opus", "flac", "wav", "pcm"])
async def test_every_format_is_the_same_as_by_http_1_1(form: str) -> None:
    body = json.dumps({"input": TEXT, "response_format": form})
    async with serving(ArtificialEngine()) as served:
        newer = await served.client.post("/v1/audio/speech", content=body)
        assert newer.headers["transfer-encoding"] == "chunked"
        _, older = await raw(served, request(body.encode()))
        assert older == newer.content or form == "opus"  # whose stream number is drawn by lot
        assert len(older) == len(newer.content)


async def test_events_have_no_chunk_marks() -> None:
    body = {"input": TEXT, "response_format": "pcm", "stream_format": "sse"}
    async with serving(ArtificialEngine()) as served:
        _, events = await raw(served, request(json.dumps(body).encode()))
        assert [line[:6] for line in events.split(b"\n") if line] == [b"data: "] * events.count(b"data: ")


async def test_an_answer_with_a_length_keeps_it() -> None:
    body = json.dumps({"input": TEXT, "response_format": "pcm", "stream": False}).encode()
    async with serving(ArtificialEngine()) as served:
        for sent, status in (
            (request(body), b"200"),
            (request(b"", path="/v1/models", method="GET"), b"200"),
            (request(b""), b"400"),
            (request(b"", path="/nowhere"), b"404"),
            (request(b"", path="/health", method="PUT"), b"405"),
        ):
            head, answered = await raw(served, sent)
            assert head.split()[1] == status
            assert fields(head)["connection"] == "close"
            assert int(fields(head)["content-length"]) == len(answered)
        for method, path in (("HEAD", "/api/tts?text=Hello."), ("OPTIONS", "/"), ("HEAD", "/v1/models")):
            head, answered = await raw(served, request(b"", path=path, method=method))
            assert (head.split()[1], answered) in {(b"200", b""), (b"204", b"")}
            assert "transfer-encoding" not in fields(head)


async def test_http_1_1_still_has_chunks() -> None:
    async with serving(ArtificialEngine()) as served:
        head, body = await raw(served, request(None, "Host: x", "Connection: close", version="1.1"))
        assert fields(head)["transfer-encoding"] == "chunked"
        assert body.endswith(b"0\r\n\r\n")


def test_audio_that_breaks_off_is_not_taken_for_complete() -> None:
    """In the event loop that the worker runs in."""
    body = json.dumps({"input": "Well begun. FAIL here. End.", "response_format": "pcm"}).encode()

    async def ask() -> None:
        async with serving(ArtificialEngine()) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(request(body))
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            value = served.worker.metrics.registry.get_sample_value
            labels = {"model": "artificial", "status": "aborted"}
            await until(lambda: value("tts_requests_total", labels) == 1)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask())


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
async def test_curl_as_a_client_of_http_1_0() -> None:
    async with serving(ArtificialEngine()) as served:
        url = f"http://127.0.0.1:{served.port}/v1/audio/speech"
        body = json.dumps({"input": TEXT, "response_format": "pcm"})
        curl = await asyncio.create_subprocess_exec(
            "curl", "-s", "--http1.0", "-d", body, url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await curl.communicate()
        assert np.array_equal(np.frombuffer(out, "<i2"), np.frombuffer(AUDIO, "<i2"))
        assert curl.returncode == 0
