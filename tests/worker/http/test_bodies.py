"""Bodies that are too long, too slow, compressed, or not what their headers say, each sent to a real server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import TIMEOUT, raw, status_and_code
from tests.support.worker.serving import serving, until

PATHS = ["/v1/audio/speech", "/api/tts"]
HELLO = b'{"input": "Hello."}'


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sent", [b"", b'{"input": "Hel'])
@pytest.mark.parametrize("framing", ["Content-Length: 19", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come_is_given_up(path: str, sent: bytes, framing: str) -> None:
    if framing.startswith("Transfer") and sent:
        sent = b"%x\r\n%s\r\n" % (len(sent), sent)
    clock = ManualClock()
    async with serving(ArtificialEngine(), clock=clock, request_timeout_seconds=TIMEOUT) as served:
        answering = asyncio.create_task(raw(served, head(path, framing) + sent))
        await until(lambda: clock.due_in(TIMEOUT))
        clock.advance(TIMEOUT)
        answer = await answering
        assert status_and_code(answer) == (408, "body_timeout")
        assert b"within 300 s" in answer[1]
        assert served.worker.admission.accepted == 0


async def test_a_client_that_dribbles_is_given_up_however_long_it_goes_on(received: bytearray) -> None:
    clock = ManualClock()
    async with serving(ArtificialEngine(), clock=clock, request_timeout_seconds=TIMEOUT) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        sent = bytearray(head(PATHS[0], "Content-Length: 60000"))
        writer.write(sent)
        await until(lambda: clock.due_in(TIMEOUT))
        for _ in range(15):
            sent.extend(b" ")
            writer.write(b" ")
            await until(lambda: received == sent)
            clock.advance(TIMEOUT / 15)
        assert b" 408 " in await reader.readline()
        await reader.read()
        writer.close()
        labels = {"model": "artificial", "status": "408"}
        await until(lambda: served.worker.metrics.registry.get_sample_value("tts_requests_total", labels) == 1)


@pytest.mark.parametrize("path", PATHS)
async def test_a_huge_body_is_refused_without_a_byte_of_it(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await raw(served, head(path, "Content-Length: 1000000000", "Expect: 100-continue"))
        assert status_and_code(answer) == (413, "body_too_large")  # and no 100 Continue before it


@pytest.mark.parametrize("path", PATHS)
async def test_a_compressed_body_is_refused(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(path, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_encoding")
        whole = await served.client.post(PATHS[0], content=HELLO, headers={"Content-Encoding": "identity"})
        assert whole.status_code == 200


@pytest.mark.parametrize(
    "kind", [None, "", "application/x-www-form-urlencoded", "application/json; charset=x", "application/octet-stream"]
)
async def test_json_is_read_whatever_the_content_type(kind: str | None) -> None:
    """`curl -d` sends it as a form's."""
    headers = {} if kind is None else {"Content-Type": kind}
    async with serving(ArtificialEngine()) as served:
        assert (await served.client.post(PATHS[0], content=HELLO, headers=headers)).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "text/plain;charset=UTF-8", "TEXT/PLAIN ; x=y"])
async def test_plain_text_needs_a_key(kind: str, tmp_path: Path) -> None:
    """A form of any web page can send JSON as plain text, but no key."""
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(PATHS[0], content=HELLO, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_type")
    keys = tmp_path / "keys"
    keys.write_text("alice alices-key-for-tests\n")
    headers = {"Content-Type": kind, "X-API-Key": "alices-key-for-tests"}
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        assert (await served.client.post(PATHS[0], content=HELLO, headers=headers)).status_code == 200


async def test_a_chunked_body_is_as_good_as_any() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(len(HELLO)):
            yield HELLO[number : number + 1]

    async with serving(ArtificialEngine()) as served:
        assert (await served.client.post(PATHS[0], content=chunks())).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [["Content-Length: abc"], ["Content-Length: -1"], ["Content-Length: " + "9" * 40], ["Content-Length: 1_9"],
     ["Content-Length: 5", "Content-Length: 19"], ["Content-Length: 19", "Transfer-Encoding: chunked"],
     ["Content-Length: 5, 19"]],
    ids=str,
)  # fmt: skip
async def test_a_wrong_content_length_is_a_bad_request(lines: list[str]) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await raw(served, head(PATHS[0], *lines) + HELLO)
        assert answer[0].startswith(b"HTTP/1.1 400")
        assert (await served.client.post(PATHS[0], content=HELLO)).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_leaves_in_mid_body_leaves_nothing(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head(path, "Content-Length: 100") + b"{")
        await writer.drain()
        writer.close()
        assert (await served.client.post(PATHS[0], content=HELLO)).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"input": "Hello.", "input": "Bye."}', "invalid_json"),
        (b'{"input": "Hello.", "speed": 1' + b"0" * 5000 + b"}", "invalid_json"),
        (b'{"input": "Hello.", "speed": 1e999}', "invalid_value"),
        (b'{"input": "Hello.", "strict": true, "' + b"x" * 9000 + b'": 1}', "unknown_parameter"),
        (b'{"input": "Hello <script>alert(1)</script>"}', "markup"),
        (b'{"input": "' + b"a" * 40_000 + b'"}', "text_too_long"),
        (b'{"input": "' + b"\\\\" * 32_700 + b'"}', "text_too_long"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_odd_json_is_refused_with_a_short_message(body: bytes, code: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(PATHS[0], content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
        assert len(answer.content) < 700


async def test_a_hundred_thousand_characters_are_clearly_too_many() -> None:
    text = "word " * 20_000
    async with serving(ArtificialEngine()) as served:
        posted = await served.client.post(PATHS[0], json={"input": text})
        assert (posted.status_code, posted.json()["error"]["code"]) == (413, "body_too_large")
        assert "split the text" in posted.json()["error"]["message"]
    async with serving(ArtificialEngine(), max_text_length=99_999) as served:
        posted = await served.client.post(PATHS[0], json={"input": text})
        assert (posted.status_code, posted.json()["error"]["code"]) == (400, "text_too_long")
        assert "has 100000 characters, but a request may have at most 99999" in posted.json()["error"]["message"]
