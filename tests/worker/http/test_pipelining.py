"""Requests that a client sends before it has the answers to earlier ones, on one connection."""

import contextlib

import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import spoken
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import TIMEOUT, answer_of, connected, pcm, post, timed
from tests.support.worker.serving import serving, until
from ttsworker.http.connection import MAX_AHEAD


async def test_requests_sent_in_one_go_are_answered_in_order() -> None:
    texts = [f"Number {number}." for number in range(8)]
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        writer.write(b"".join(post(text) for text in texts))
        for text in texts:
            status, body = await answer_of(reader)
            assert status == 200
            assert np.array_equal(pcm(body), spoken(text))


@pytest.mark.parametrize("request_line", [b"GET /health", b"GET /nowhere", b"OPTIONS /v1/audio/speech", b"HEAD /"])
async def test_who_asks_far_ahead_gets_the_first_answers_and_no_more(request_line: bytes) -> None:
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        writer.write((request_line + b" HTTP/1.1\r\nHost: x\r\n\r\n") * 10_000)
        answers = bytearray()
        with contextlib.suppress(ConnectionError):  # it closes while requests are on their way
            while got := await reader.read(65_536):
                answers += got
        assert answers.count(b"HTTP/1.1 ") <= MAX_AHEAD + 1


async def test_who_asks_as_far_ahead_as_allowed_gets_all_answers() -> None:
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * (MAX_AHEAD + 1))
            assert [(await answer_of(reader))[0] for _ in range(MAX_AHEAD + 1)] == [200] * (MAX_AHEAD + 1)


async def test_a_wrong_request_among_them_is_answered_in_its_place() -> None:
    async with serving(ArtificialEngine()) as served, connected(served) as (reader, writer):
        writer.write(post("First.") + post("") + post("Third."))
        assert [(await answer_of(reader))[0] for _ in range(3)] == [200, 400, 200]


@pytest.mark.parametrize("sent", [b"\x00\x01garbage\r\n\r\n", b"GET /health HTTP/1.1\r\nHo"], ids=["garbage", "half"])
async def test_what_follows_a_request_does_not_spoil_its_answer(sent: bytes, clock: ManualClock) -> None:
    async with timed(clock) as served, connected(served) as (reader, writer):
        writer.write(post("It begins. " + "And it goes on. " * 3) + sent)
        status, body = await answer_of(reader)
        assert status == 200
        assert np.array_equal(pcm(body), spoken("It begins.", *["And it goes on."] * 3))
        clock.advance(TIMEOUT)
        with contextlib.suppress(ConnectionError):
            assert (await reader.read())[:12] in {b"", b"HTTP/1.1 408"}


async def test_who_leaves_in_the_midst_of_many_leaves_nothing() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        async with connected(served) as (_, writer):
            writer.write(b"".join(post(f"Number {number}. And more.") for number in range(20)))
            await until(lambda: served.worker.admission.accepted == 1)
        engine.gate.set()
        await until(lambda: served.worker.admission.accepted == 0)
        assert (await served.client.post("/v1/audio/speech", json={"input": "Hello."})).status_code == 200
        assert len(engine.begun) < 20
