"""Whole answers and their slow readers, around a real server: their memory is bounded, and given back."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import ask, error_of, heard, spoken
from tests.support.worker.serving import Served, serving, until
from tests.support.worker.slow_reader import reading

MIB = 2**20
WIDE: dict[str, Any] = {"sample_rate": 48_000, "channels": 2, "stream": False}
"""192 kB a second."""
LONG = "A text of a few words. " * 40
"""About a minute of audio by the first estimate, 11 MB."""


def held(served: Served) -> int:
    return served.worker.parts.memory.held


async def test_answers_that_do_not_fit_beside_the_others_are_429_and_streams_go_on() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_answer_bytes=16 * MIB) as served:
        engine.gate.clear()
        first = ask(served, LONG, **WIDE)
        await until(lambda: served.worker.admission.accepted == 1)
        assert MIB < held(served) <= 16 * MIB
        refused = await ask(served, LONG, **WIDE)
        assert error_of(refused) == (429, "memory_full")
        assert int(refused.headers["retry-after"]) >= 1
        streamed, short = ask(served, LONG, **{**WIDE, "stream": True}), ask(served, "Short.", **WIDE)
        await until(lambda: served.worker.admission.accepted == 3)
        engine.gate.set()
        assert {each.status_code for each in await asyncio.gather(first, streamed, short)} == {200}
        await until(lambda: served.worker.admission.accepted == 0)
        assert held(served) == 0
        assert (await ask(served, LONG, **WIDE)).status_code == 200


@pytest.mark.parametrize("path", ["openai", "coqui", "marytts"])
async def test_an_answer_that_can_never_fit_is_413_and_costs_no_synthesis(path: str) -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_answer_bytes=MIB) as served:
        if path == "openai":
            answer = await ask(served, LONG, **WIDE)
        elif path == "coqui":
            answer = await served.client.get("/api/tts", params={"text": LONG})
        else:
            answer = await served.client.post("/process", data={"INPUT_TEXT": LONG})
        assert error_of(answer) == (413, "answer_too_large")
        assert "stream" in answer.json()["error"]["message"]
        assert (engine.begun, held(served)) == ([], 0)


async def test_a_slow_speed_counts_as_the_longer_audio_that_it_is() -> None:
    async with serving(ArtificialEngine(), max_answer_bytes=16 * MIB) as served:
        assert error_of(await ask(served, LONG, speed=0.25, **WIDE)) == (413, "answer_too_large")


async def test_an_estimate_far_too_low_is_found_out_before_the_first_byte() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_answer_bytes=MIB) as served:
        engine.stretch = 100.0
        text = "One. Two. Three."
        assert error_of(await ask(served, text, **WIDE)) == (413, "answer_too_large")
        await until(lambda: served.worker.admission.accepted == 0)
        assert held(served) == 0


async def test_eight_slow_readers_hold_no_more_than_the_bound_and_free_what_they_read() -> None:
    engine = ArtificialEngine(seconds_per_character=0.4)
    bound = 60 * MIB
    text = "x" * 224 + "."  # 90 s, 17 MB: more than sockets hold
    async with serving(engine, max_answer_bytes=bound, max_concurrency=1) as served, AsyncExitStack() as clients:
        assert (await ask(served, text, **WIDE)).status_code == 200
        wires = []
        for _ in range(8):
            wires.append(await clients.enter_async_context(reading(served, text, **WIDE)))
            assert held(served) <= bound
        accepted = [(reader, head) for reader, head in wires if b" 200 " in head]
        assert 1 <= len(accepted) < 8
        assert sum(b" 429 " in head for _, head in wires) == 8 - len(accepted)
        before = held(served)
        assert before > 0
        for reader, head in accepted:
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert len(await reader.readexactly(length)) == 44 + 192_000 * 90
            await until(lambda: held(served) < before)
        await until(lambda: held(served) == 0)


async def test_cached_audio_counts_until_its_reader_has_it() -> None:
    engine = ArtificialEngine()
    async with serving(engine, cache_ttl_seconds=60, max_answer_bytes=MIB) as served:
        text = "One sentence. And another. And HOLD."
        engine.held.set()
        assert (await ask(served, text)).status_code == 200
        cached = 2 * len(spoken("One sentence.", "And another.", "And HOLD."))
        engine.held.clear()
        more = ask(served, f"{text} HOLD on.", stream=True)
        await until(lambda: held(served) == cached)
        engine.held.set()
        assert len(heard(await more)) == cached // 2 + len(spoken("HOLD on."))
        await until(lambda: held(served) == 0)


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_long_bodies_that_do_not_end_are_bounded_too(framing: str) -> None:
    size = 700_000
    framed = {"length": b"Content-Length: 1000000\r\n\r\n", "chunks": b"Transfer-Encoding: chunked\r\n\r\nf0000\r\n"}
    head = b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\n" + framed[framing]
    async with serving(ArtificialEngine(), max_answer_bytes=2 * MIB, max_text_length=100_000) as served:
        writers = []
        for count in (1, 2):
            _, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(head + b" " * size)
            writers.append(writer)
            await until(lambda: held(served) == count * size)  # noqa: B023 - awaited here
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head + b" " * size)
        answer = (await reader.read()).lower()
        assert answer.startswith(b"http/1.1 429")
        assert b"memory_full" in answer
        assert b"connection: close" in answer
        assert held(served) == 2 * size
        assert (await ask(served, "Short bodies still have room.")).status_code == 200
        for each in (*writers, writer):
            each.close()
        await until(lambda: held(served) == 0)


async def test_a_stream_is_never_too_large_however_much_of_it_is_cached() -> None:
    engine = ArtificialEngine()
    text = " ".join(f"Sentence {number} of words{' and words' * 22}." for number in range(12))  # 5 s, 230 kB each
    async with serving(engine, cache_ttl_seconds=60, max_answer_bytes=2 * MIB) as served:
        first = await ask(served, text)
        assert first.headers["x-tts-cached-sentences"] == "0/12"
        again = await ask(served, text)
        cached = int(again.headers["x-tts-cached-sentences"].partition("/")[0])
        assert 2 <= cached < 6
        assert again.content == first.content
        await until(lambda: held(served) == 0)
