"""Many clients, slow clients, clients that go away, and an engine that fails, each around a real server."""

import asyncio
import json

import httpx
import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, ask, body_of, heard, spoken
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import Served, serving, until
from ttsworker.engines import Utterance


def counted(served: Served, status: str) -> float | None:
    labels = {"model": "artificial", "status": status}
    return served.worker.metrics.registry.get_sample_value("tts_requests_total", labels)


async def test_beyond_the_queue_is_429_with_retry_after() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=2, max_queue_length=3) as served:
        engine.gate.clear()
        accepted = [ask(served, f"Text number {number}.") for number in range(5)]
        await until(lambda: served.worker.admission.accepted == 5)
        assert served.model.scheduler.waiting == 3
        refused = await ask(served, "One too many.")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        engine.gate.set()
        for number, answer in enumerate(await asyncio.gather(*accepted)):
            assert answer.status_code == 200
            assert np.array_equal(heard(answer), spoken(f"Text number {number}."))
        assert (await ask(served, "Now there is room.")).status_code == 200


async def test_no_queue_at_all_still_serves() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1, max_queue_length=0) as served:
        engine.gate.clear()
        first = ask(served, "The only one.")
        await until(lambda: served.worker.admission.accepted == 1)
        assert (await ask(served, "Another.")).status_code == 429
        engine.gate.set()
        assert (await first).status_code == 200


async def test_everything_answers_while_a_long_text_is_spoken() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1) as served:
        engine.gate.clear()
        long = ask(served, "A long text. " * 100)
        await until(lambda: len(engine.begun) == 1)
        assert (await served.client.get("/health")).status_code == 200
        assert (await served.client.get("/ready")).status_code == 200
        assert (await served.client.get("/v1/models")).status_code == 200
        assert (await ask(served, "")).status_code == 400
        second = ask(served, "A short one.")
        await until(lambda: served.model.scheduler.waiting == 1)
        assert not long.done()
        engine.gate.set()
        assert (await second).status_code == (await long).status_code == 200
        assert not any(name == "MainThread" for name in engine.threads)


async def test_a_short_text_does_not_wait_for_a_long_one() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        long = ask(served, "A long text. " * 50)
        await until(lambda: len(engine.begun) == 1)
        short = ask(served, "A short one.")
        await until(lambda: served.worker.admission.accepted == 2)
        engine.gate.set()
        await asyncio.gather(long, short)
        assert engine.begun[:4].count("A short one.") == 1


async def test_audio_comes_before_the_text_is_complete() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        async with served.client.stream("POST", SPEECH, json=body_of("First one. HOLD second.")) as answer:
            received = b""
            async for chunk in answer.aiter_bytes():
                received += chunk
                if len(received) == 44 + 2 * len(spoken("First one.")):
                    engine.held.set()
        assert len(received) == 44 + 2 * len(spoken("First one.", "HOLD second."))


async def test_one_sentence_is_heard_before_its_end_where_the_engine_streams() -> None:
    engine = ArtificialEngine()
    engine.streams = True
    audio = spoken("Only one sentence.")
    async with serving(engine, health_interval_seconds=600) as served:
        engine.flowing_on.clear()
        async with served.client.stream("POST", SPEECH, json=body_of("Only one sentence.")) as answer:
            received = b""
            async for chunk in answer.aiter_bytes():
                received += chunk
                if len(received) == 44 + len(audio):  # half of them, two bytes each
                    engine.flowing_on.set()
        assert received[44:] == audio.tobytes()
        assert "content-length" not in answer.headers


async def test_one_sentence_has_its_length_where_the_engine_does_not_stream() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await ask(served, "Only one sentence.")
        assert int(answer.headers["content-length"]) == 44 + 2 * len(spoken("Only one sentence."))


async def test_no_sentence_is_longer_than_the_engine_takes() -> None:
    engine = ArtificialEngine()
    engine.max_characters = 20
    async with serving(engine) as served:
        assert (await ask(served, "Short. This sentence is longer than the engine takes at once.")).status_code == 200
    assert sorted(engine.begun) == sorted(["Short.", "This sentence is", "longer than the", "engine takes at", "once."])


async def test_a_client_that_goes_away_cancels_what_has_not_begun() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=1) as served:
        engine.gate.clear()
        speaking = ask(served, "Begun. Never begun.")
        await until(lambda: engine.begun == ["Begun."])
        waiting = ask(served, "Waits for its turn.")
        await until(lambda: served.model.scheduler.waiting == 1)
        for request in (speaking, waiting):
            request.cancel()
        await until(lambda: served.worker.admission.accepted == 0)
        assert served.model.scheduler.waiting == 0
        engine.gate.set()
        assert (await ask(served, "The next.")).status_code == 200
        assert engine.begun == ["Begun.", "The next."]
        await until(lambda: counted(served, "499") == 2)


async def test_a_sentence_that_lies_ready_for_the_engine_is_not_spoken_when_its_client_goes_away() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        first = ask(served, "Begun.")
        await until(lambda: engine.begun == ["Begun."])
        gone, next_one = ask(served, "Ready."), ask(served, "The next.")
        await until(lambda: served.worker.admission.accepted == 3)
        gone.cancel()
        await until(lambda: served.worker.admission.accepted == 2)
        engine.gate.set()
        assert (await first).status_code == (await next_one).status_code == 200
        assert engine.begun == ["Begun.", "The next."]


async def test_a_slow_reader_stands_back_for_others() -> None:
    engine = ArtificialEngine(seconds_per_character=0.1)
    sentences = 16
    body = json.dumps(body_of(f"{'word ' * 49}end. " * sentences)).encode()  # 25 s each, more than sockets hold
    async with serving(engine, max_concurrency=1) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(3):
            assert (await ask(served, "Meanwhile.")).status_code == 200
        assert engine.begun.count("Meanwhile.") == 3
        assert len(engine.begun) < sentences
        received = await read_chunked(reader)
        assert len(engine.begun) == sentences + 3
        assert len(received) == 44 + sentences * 2 * 249 * 2400
        writer.close()


async def read_chunked(reader: asyncio.StreamReader) -> bytes:
    """Read a body to its terminating chunk; an incomplete one raises IncompleteReadError."""
    received = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        received += (await reader.readexactly(size + 2))[:-2]
    return received


@pytest.mark.parametrize("fault", ["FAIL", "NAN"])
async def test_a_failure_before_the_first_audio_is_a_clear_error(fault: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await ask(served, f"{fault} at once.")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")
        assert "told to" not in answer.text
        assert (await ask(served, "The worker goes on.")).status_code == 200


async def test_a_text_the_engine_refuses_is_the_clients_error() -> None:
    async with serving(ArtificialEngine()) as served:
        for answer, param in (
            (await ask(served, "UNSPEAKABLE."), "input"),
            (await served.client.get("/api/tts", params={"text": "UNSPEAKABLE."}), "text"),
        ):
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["param"]) == (400, "unspeakable_text", param)


async def test_a_failure_in_mid_stream_breaks_the_answer_off() -> None:
    async with serving(ArtificialEngine()) as served:
        text = "Well begun. FAIL in the middle. End."
        answer = await served.client.send(served.client.build_request("POST", SPEECH, json=body_of(text)), stream=True)
        assert answer.status_code == 200
        received = bytearray()

        async def read_on() -> None:
            async for chunk in answer.aiter_bytes():
                received.extend(chunk)

        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await read_on()
        assert len(received) == 44 + 2 * len(spoken("Well begun."))
        await until(lambda: counted(served, "aborted") == 1)
        assert (await ask(served, "The worker goes on.")).status_code == 200


async def test_a_failure_of_a_whole_answer_is_never_half_an_answer() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await ask(served, "Well begun. FAIL in the middle. End.", stream=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "synthesis_failed")


async def test_no_audio_within_the_request_timeout() -> None:
    engine = ArtificialEngine()
    clock = ManualClock()
    async with serving(engine, clock=clock, request_timeout_seconds=10) as served:
        engine.gate.clear()
        asked = ask(served, "It does not come.")
        await until(lambda: bool(engine.begun) and clock.due_in(10))
        clock.advance(10)
        answer = await asked
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
        engine.gate.set()


async def test_sentences_are_merged_as_far_as_the_engine_takes_them() -> None:
    engine = ArtificialEngine(max_batch_size=3)
    async with serving(engine, clock=ManualClock()) as served:  # no health check among the batches
        engine.gate.clear()
        first = ask(served, "First.")
        await until(lambda: engine.begun == ["First."])
        others = [ask(served, f"Text number {number}.") for number in range(5)]
        await until(lambda: served.worker.admission.accepted == 6)
        engine.batches.clear()
        engine.gate.set()
        await first
        for number, answer in enumerate(await asyncio.gather(*others)):
            assert np.array_equal(heard(answer), spoken(f"Text number {number}."))
        assert engine.batches == [3, 2]


async def test_the_engines_pause_is_between_sentences_only() -> None:
    engine = ArtificialEngine()
    engine.pause_seconds = 0.25
    async with serving(engine) as served:
        answer = await ask(served, "One. SKIP. Two.")
        one, two = spoken("One."), spoken("Two.")
        pause = np.zeros(6000, np.int16)
        assert np.array_equal(heard(answer), np.concatenate([one, pause, two]))


class Reciter(ArtificialEngine):
    """Expects a minute of audio for every #, as long as its text is short."""

    def estimate_seconds(self, utterance: Utterance) -> float:
        return 60 * utterance.text.count("#") / utterance.speed or super().estimate_seconds(utterance)


async def test_the_audio_that_waits_is_what_the_engine_expects_and_not_characters() -> None:
    engine = Reciter()
    async with serving(engine, max_concurrency=1, max_queue_audio_seconds=100) as served:
        engine.gate.clear()
        running = ask(served, "Speaking.")
        await until(lambda: engine.begun == ["Speaking."])
        waiting = ask(served, "Short.")
        await until(lambda: served.model.scheduler.waiting == 1)
        refused = await ask(served, "####.")
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert (await ask(served, "#.", speed=0.25)).status_code == 429
        long = ask(served, "#.")
        await until(lambda: served.model.scheduler.waiting == 2)
        value = served.worker.metrics.registry.get_sample_value
        assert 25 < (value("tts_backlog_audio_seconds") or 0) < 70
        assert (await ask(served, "##.")).status_code == 429
        engine.gate.set()
        assert [(await each).status_code for each in (running, waiting, long)] == [200] * 3
        await until(lambda: value("tts_backlog_audio_seconds") == 0)
