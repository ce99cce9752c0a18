"""SIGTERM: nothing accepted is lost, nothing new comes in, and the process ends with 0."""

import asyncio
import io
import wave

import httpx
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import PATIENCE_SECONDS, serving, until, worker_process
from ttsworker.http import server

SENTENCE = "This is one of very many sentences that the worker has to speak before it may go. "


async def test_draining_finishes_what_was_accepted_and_refuses_the_rest() -> None:
    engine = ArtificialEngine()
    async with serving(engine, clock=ManualClock(), exit_timeout=60, max_concurrency=1) as served:
        engine.gate.clear()
        accepted = [
            asyncio.create_task(served.client.post(SPEECH, json={"input": f"Text {n}. End."})) for n in range(3)
        ]
        await until(lambda: served.worker.admission.accepted == 3)
        served.stop.set()
        await until(lambda: served.worker.admission.state == "draining")
        ready, health = await served.client.get("/ready"), await served.client.get("/health")
        assert (ready.status_code, ready.json()) == (503, {"ready": False, "reason": "draining"})
        assert (health.status_code, health.json()["status"]) == (200, "draining")
        refused = await served.client.post(SPEECH, json={"input": "Too late."})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        assert not served.ended.done()
        engine.gate.set()
        assert [answer.status_code for answer in await asyncio.gather(*accepted)] == [200, 200, 200]
        assert await served.ended == 0
    assert engine.closed


async def test_what_the_drain_timeout_does_not_suffice_for_is_broken_off_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "MIN_CLOSE_SECONDS", PATIENCE_SECONDS)  # for the last answers, however slow the machine
    engine, clock = ArtificialEngine(), ManualClock()
    async with serving(
        engine, clock=clock, exit_timeout=0.1, max_concurrency=1, drain_timeout_seconds=300, request_timeout_seconds=600
    ) as served:
        request = served.client.build_request("POST", SPEECH, json={"input": "Well begun. HOLD it."})
        answer = await served.client.send(request, stream=True)
        assert answer.status_code == 200
        await until(lambda: len(engine.begun) == 2)
        waiting = asyncio.create_task(served.client.post(SPEECH, json={"input": "Not begun."}))
        await until(lambda: served.model.scheduler.waiting == 1)
        served.stop.set()
        await until(lambda: clock.due_in(300))
        clock.advance(300)
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            await answer.aread()
        refused = await waiting
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert await served.ended == 1
        engine.held.set()


async def test_sigterm_under_load_loses_nothing_accepted() -> None:
    settings = {"MAX_CONCURRENCY": "2", "DRAIN_TIMEOUT_SECONDS": "200", "MAX_QUEUE_AUDIO_SECONDS": "600"}
    with worker_process({f"TTSWORKER_{name}": value for name, value in settings.items()}) as worker:
        await asyncio.to_thread(worker.wait_for, "ready")
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=worker.url, timeout=PATIENCE_SECONDS, limits=limits) as client:

            async def ask() -> tuple[int, float]:
                """Return the status and the seconds of audio; a cut answer raises, a closed port counts as 503."""
                try:
                    answer = await client.post(SPEECH, json={"input": SENTENCE * 5, "response_format": "wav"})
                except httpx.ConnectError:
                    return 503, 0.0
                if answer.status_code != 200:
                    assert answer.headers["retry-after"]
                    return answer.status_code, 0.0
                with wave.open(io.BytesIO(answer.content)) as audio:
                    return 200, len(audio.readframes(audio.getnframes())) / 48_000

            before = [asyncio.create_task(ask()) for _ in range(6)]
            await until(lambda: sum(line["message"] == "accepted" for line in worker.lines) == 6)
            ending = asyncio.create_task(asyncio.to_thread(worker.terminate))
            await asyncio.to_thread(worker.wait_for, "draining")
            after = [await ask() for _ in range(3)]
            finished = await asyncio.gather(*before)
            assert await ending == 0
    assert worker.wait_for("draining")["requests"] > 0
    assert {status for status, _ in finished} == {200}
    assert len({seconds for _, seconds in finished}) == 1
    assert finished[0][1] > 5 * 3
    assert {status for status, _ in after} == {503}


async def test_sigterm_while_the_model_is_being_loaded_ends_at_once() -> None:
    with worker_process() as worker:
        await asyncio.to_thread(worker.wait_for, "listening")
        assert await asyncio.to_thread(worker.terminate) == 0


async def test_sigterm_at_rest_ends_at_once() -> None:
    with worker_process({"TTSWORKER_DRAIN_TIMEOUT_SECONDS": "600"}) as worker:
        await asyncio.to_thread(worker.wait_for, "ready")
        async with httpx.AsyncClient(base_url=worker.url, timeout=PATIENCE_SECONDS) as client:
            # An idle connection is left open.
            assert (await client.get("/ready")).status_code == 200
            assert await asyncio.to_thread(worker.terminate) == 0
