"""Heads that are too long or too slow, and clients that hardly read, each on a socket."""

import asyncio
import contextlib
import json
import socket

import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import spoken
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import TIMEOUT, answer_of, connected, pcm, post, raw, status_and_code, timed
from tests.support.worker.serving import serving, until
from ttsworker.http.connection import MAX_HEADERS, MAX_PATH_BYTES, Connection

slow_head = pytest.mark.parametrize("sent", [b"G", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b"])


@slow_head
async def test_a_head_that_does_not_come_is_given_up(sent: bytes, clock: ManualClock, received: bytearray) -> None:
    async with timed(clock) as served:
        answering = asyncio.create_task(raw(served, sent))
        await until(lambda: received == sent)
        clock.advance(TIMEOUT)
        answer = await answering
        assert status_and_code(answer) == (408, "headers_timeout")
        assert b"within 300 s" in answer[1]


async def test_a_connection_without_a_request_is_closed(clock: ManualClock) -> None:
    async with timed(clock) as served:
        answering = asyncio.create_task(raw(served, b""))
        await until(lambda: clock.call_due_in(TIMEOUT))
        clock.advance(TIMEOUT)
        assert await answering == (b"", b"")


@slow_head
async def test_a_second_head_on_a_connection_has_no_more_time(
    sent: bytes, clock: ManualClock, received: bytearray
) -> None:
    async with timed(clock) as served, connected(served) as (reader, writer):
        writer.write(post("Hello."))
        assert (await answer_of(reader))[0] == 200
        received.clear()
        writer.write(sent)
        await until(lambda: received == sent)
        clock.advance(TIMEOUT)
        assert (await answer_of(reader))[0] == 408
        assert await reader.read() == b""


async def test_who_dribbles_a_head_is_given_up_however_long_it_goes_on(clock: ManualClock, received: bytearray) -> None:
    async with timed(clock) as served, connected(served) as (reader, writer):
        sent = bytearray(b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ")
        writer.write(sent)
        for _ in range(15):
            sent.extend(b"a")
            writer.write(b"a")
            await until(lambda: received == sent)
            clock.advance(TIMEOUT / 15)
        assert (await answer_of(reader))[0] == 408
        assert await reader.read() == b""


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nX-", b"GET / HTTP/1.1\r\nX-A: ", b"GET /api/tts?text="], ids=str
)
async def test_a_head_without_end_is_refused(start: bytes) -> None:
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        writer.write(start)
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                writer.write(b"a" * 10_000)
                await writer.drain()
            pytest.fail("it took ten megabytes")
        with contextlib.suppress(ConnectionError):  # it was closed while we still sent: the answer may be lost
            assert (await answer_of(reader))[0] == 431
        assert (await served.client.get("/health")).status_code == 200


async def test_many_headers_are_too_long_as_well() -> None:
    async with serving(ArtificialEngine(), max_text_length=10) as served, connected(served) as (reader, writer):
        writer.write(b"GET /health HTTP/1.1\r\n" + b"X-A: b\r\n" * 2100)
        status, body = await answer_of(reader)
        assert (status, json.loads(body)["error"]["code"]) == (431, "headers_too_large")


async def test_the_longest_text_fits_into_an_address() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.get("/api/tts", params={"text": "\N{GRINNING FACE}" * 4000 + "Hello."})
        assert answer.status_code == 200


async def test_a_slow_client_that_speaks_http_is_not_hurried_between_requests(clock: ManualClock) -> None:
    async with timed(clock) as served, connected(served) as (reader, writer):
        for _ in range(3):
            writer.write(post("Hello."))
            assert (await answer_of(reader))[0] == 200
            clock.advance(TIMEOUT * 2)


async def test_what_is_no_http_is_told_so() -> None:
    async with serving(ArtificialEngine()) as served:
        assert status_and_code(await raw(served, b"\x16\x03\x01\x02\x00\x01\x00")) == (400, "invalid_http")


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_an_offer_to_speak_something_else_is_not_taken(protocol: bytes) -> None:
    """Java's client and curl --http2 make one with every first request, also of those with a body."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAM\r\nHost:" % protocol
    request = post("Hello.").replace(b"Host:", offer)
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        writer.write(request + request[:-4])
        assert np.array_equal(pcm((await answer_of(reader))[1]), spoken("Hello."))
        writer.write(request[-4:] + post("Bye."))
        for text in ("Hello.", "Bye."):
            assert np.array_equal(pcm((await answer_of(reader))[1]), spoken(text))


async def test_it_is_no_proxy() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await raw(served, b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert status_and_code(answer) == (405, "method_not_allowed")


@pytest.mark.parametrize("pause", [0.02, 3600], ids=["a byte at a time", "nothing"])
@pytest.mark.parametrize("how", [{"stream": True}, {"stream": False}], ids=["streamed", "whole"])
async def test_who_hardly_reads_is_given_up_and_holds_nobody_up(
    pause: float, how: dict[str, bool], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Connection] = []
    ended: list[Connection] = []
    begin, end = Connection.connection_made, Connection.connection_lost

    def note_begin(connection: Connection, transport: asyncio.Transport) -> None:
        begin(connection, transport)
        begun.append(connection)

    def note_end(connection: Connection, why: Exception | None) -> None:
        ended.append(connection)
        end(connection, why)

    monkeypatch.setattr(Connection, "connection_made", note_begin)
    monkeypatch.setattr(Connection, "connection_lost", note_end)
    loop = asyncio.get_running_loop()

    async def read(client: socket.socket) -> None:
        while await loop.sock_recv(client, 1):  # noqa: ASYNC110 - it is the client that is slow
            await asyncio.sleep(pause)

    engine = ArtificialEngine(seconds_per_character=0.1)
    long = post(f"{'word ' * 49}end. " * 16, **how)  # 25 s each, more than sockets hold
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0)
        async with serving(
            engine, clock=clock, max_concurrency=1, request_timeout_seconds=TIMEOUT, health_interval_seconds=3600
        ) as served:

            def is_given_up() -> bool:
                clock.advance(TIMEOUT / 10)
                return served.worker.admission.accepted == 0 and bool(ended)

            await loop.sock_connect(client, ("127.0.0.1", served.port))
            await loop.sock_sendall(client, long)
            reading = asyncio.create_task(read(client))
            await until(lambda: bool(engine.begun))
            other = await served.client.post("/v1/audio/speech", json={"input": "Meanwhile."})
            assert other.status_code == 200
            await until(lambda: begun[0].flow.write_paused)
            await until(is_given_up)
            assert ended == begun[:1]
            reading.cancel()


async def test_a_request_has_a_bounded_number_of_headers() -> None:
    """Every look-up of a header reads all of them."""
    async with serving(ArtificialEngine()) as served:
        for count, expected in ((MAX_HEADERS, b"200"), (MAX_HEADERS + 1, b"431"), (5000, b"431")):
            lines = ["GET /health HTTP/1.1", "Connection: close", *(f"a{number}: b" for number in range(count - 1))]
            answer = await raw(served, "\r\n".join([*lines, "", ""]).encode())
            assert answer[0].startswith(b"HTTP/1.1 " + expected)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_a_path_has_a_bounded_length_and_a_query_has_not(method: str) -> None:
    async with serving(ArtificialEngine()) as served:
        path = "/" + "%41" * (MAX_PATH_BYTES // 3 + 1)
        lines = [f"{method} {path} HTTP/1.1", "Content-Length: 2", "", "{}"]
        assert status_and_code(await raw(served, "\r\n".join(lines).encode())) == (414, "path_too_long")
        long = await served.client.get("/api/tts", params={"text": "a. " * MAX_PATH_BYTES, "speaker_id": ""})
        assert long.status_code in {200, 400, 429}
        assert (await served.client.get("/health")).status_code == 200
