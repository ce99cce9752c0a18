"""/health tells what a test synthesis showed, and never waits for one."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock, patch

import numpy as np
import pytest
from prometheus_client import generate_latest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import Served, serving, until
from ttsworker.audio import to_pcm
from ttsworker.engines import ModelInvalid, Utterance
from ttsworker.models.health import Health
from ttsworker.models.warmup import Bounds, NotAudible, judge, warm_up
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.settings import Settings
from ttsworker.worker import Worker

INTERVAL, TIMEOUT = 30.0, 60.0


@asynccontextmanager
async def checked(engine: ArtificialEngine, clock: ManualClock, **settings: Any) -> AsyncIterator[Served]:
    """Serve an engine whose checks are on a clock that the test moves."""
    times: dict[str, Any] = {"health_interval_seconds": INTERVAL, "request_timeout_seconds": TIMEOUT}
    async with serving(engine, clock=clock, **times, **settings) as served:
        yield served


async def begin_check(clock: ManualClock) -> None:
    """Let the interval pass, and wait until the next check waits for its audio."""
    await until(lambda: clock.due_in(INTERVAL))
    clock.advance(INTERVAL)
    await until(lambda: clock.due_in(TIMEOUT))


async def next_check(served: Served, clock: ManualClock) -> None:
    """Let the interval pass, and wait until the next check has ended."""
    last = served.model.health.last
    await until(lambda: clock.due_in(INTERVAL))
    clock.advance(INTERVAL)
    await until(lambda: served.model.health.last is not last)


async def status(served: Served, path: str) -> int:
    return (await served.client.get(path)).status_code


async def test_a_healthy_worker_tells_its_last_check() -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with checked(engine, clock) as served:
        check = served.model.health.last
        engine.flowing.clear()
        await begin_check(clock)
        clock.advance(0.25)
        engine.flowing.set()
        await until(lambda: served.model.health.last is not check)
        first = (await served.client.get("/health")).json()
        assert (first["status"], first["problem"], first["device"]) == ("ok", None, "cpu")
        assert first["audio_seconds"] == 1.0
        assert first["latency_seconds"] == 0.25
        assert first["gpu_available"] is False
        await next_check(served, clock)
        assert (await served.client.get("/health")).json()["last_check"] > first["last_check"]


async def test_an_idle_engine_that_gets_stuck_is_told() -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with checked(engine, clock) as served:
        assert await status(served, "/health") == 200
        engine.flowing.clear()
        await begin_check(clock)
        clock.advance(TIMEOUT)
        await until(lambda: served.worker.failover.problem() is not None)
        answer = await served.client.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
        assert await status(served, "/ready") == 503
        engine.flowing.set()
        await next_check(served, clock)
        await until(lambda: served.worker.failover.problem() is None)
        assert await status(served, "/health") == await status(served, "/ready") == 200


async def test_an_engine_stuck_at_a_request_is_told() -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with serving(engine, clock=clock, request_timeout_seconds=2) as served:
        engine.gate.clear()
        request = asyncio.create_task(served.client.post("/v1/audio/speech", json={"input": "Stuck."}))
        await until(lambda: "Stuck." in engine.begun)
        assert served.worker.failover.problem() is None
        clock.advance(3)
        assert "has given no audio for" in (await served.client.get("/health")).json()["problem"]
        assert (await request).status_code == 504
        engine.gate.set()


async def test_a_stuck_engine_does_not_keep_the_worker_from_ending() -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with checked(engine, clock, exit_timeout=0.1) as served:
        engine.flowing.clear()
        await begin_check(clock)
        clock.advance(TIMEOUT)
        await until(lambda: served.worker.failover.problem() is not None)
        served.stop.set()
        assert await served.ended == 0  # no accepted request was lost
        assert not engine.closed  # its memory is still in use
        engine.flowing.set()


async def test_an_engine_that_falls_silent_is_told() -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with checked(engine, clock) as served:
        engine.silent = True
        await next_check(served, clock)
        assert "silent" in (await served.client.get("/health")).json()["problem"]


@pytest.mark.parametrize("stretch", [0.4, 2.5])
async def test_an_engine_whose_speech_gets_another_length_is_told(stretch: float) -> None:
    engine, clock = ArtificialEngine(), ManualClock()
    async with checked(engine, clock) as served:
        engine.stretch = stretch
        await next_check(served, clock)
        problem = (await served.client.get("/health")).json()["problem"]
        assert problem.endswith(f"lasts {stretch:.2f} s instead of 0.50 to 2.00 s")
        engine.stretch = 1.0
        await next_check(served, clock)
        assert served.worker.failover.problem() is None


async def test_a_check_that_is_not_done_any_more_is_told() -> None:
    clock = ManualClock()
    async with checked(ArtificialEngine(), clock) as served:
        assert served.model.health.last is not None
        await until(lambda: clock.due_in(INTERVAL))
        with patch.object(Health, "check", AsyncMock()):
            clock.advance(INTERVAL + 2 * TIMEOUT)
            assert served.worker.failover.problem() is None
            clock.advance(1)
            assert "has not been spoken for" in (await served.client.get("/health")).json()["problem"]
            await until(lambda: clock.due_in(INTERVAL))
        await next_check(served, clock)
        assert served.worker.failover.problem() is None


async def test_a_driver_that_hangs_keeps_neither_health_nor_metrics_waiting_for_long() -> None:
    """How long NVML is waited for is shown in test_gpu.py; here, that nothing waits for it longer than that."""
    reading, hang = threading.Event(), threading.Event()

    def read(_: GpuMonitor) -> None:
        reading.set()
        hang.wait()

    engine, clock = ArtificialEngine(), ManualClock()
    with patch.object(GpuMonitor, "_read", read):
        async with checked(engine, clock) as served:
            assert reading.is_set()
            await next_check(served, clock)
            answer = await served.client.get("/health")
            assert (answer.status_code, answer.json()["gpu_available"]) == (200, False)
            assert "has not answered" in (served.worker.gpu.problem or "")
            scraped = await asyncio.to_thread(generate_latest, served.worker.metrics.registry)
            assert b"tts_load_ratio" in scraped
            engine.silent = True
            await next_check(served, clock)
            assert served.worker.failover.problem() is not None
            hang.set()


async def test_health_and_readiness_while_the_model_is_being_loaded() -> None:
    engine = ArtificialEngine()
    engine.flowing.clear()
    async with serving(engine, wait=False) as served:
        answer = await served.client.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "starting", "problem": None})
        ready = await served.client.get("/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "starting")
        for path in ("/v1/audio/voices", "/v1/models", "/api/tts?text=Hello"):
            early = await served.client.get(path)
            assert (early.status_code, early.json()["error"]["code"]) == (503, "starting")
        engine.flowing.set()
        await until(lambda: served.worker.admission.state == "open")
        assert await status(served, "/ready") == 200


async def test_a_model_that_is_silent_is_not_served() -> None:
    engine = ArtificialEngine()
    engine.silent = True
    worker = Worker(Settings(), make_engine=lambda _: engine)
    with pytest.raises(ModelInvalid, match="cannot speak: the audio of the test sentence is silent"):
        await worker.start()
    await worker.close()


@pytest.mark.parametrize("stretch", [0.3, 30.0])
async def test_a_model_whose_speech_cannot_have_this_length_is_not_served(stretch: float) -> None:
    engine = ArtificialEngine()
    engine.stretch = stretch
    worker = Worker(Settings(), make_engine=lambda _: engine)
    with pytest.raises(ModelInvalid, match=r"cannot speak: the audio of the test sentence lasts .* s instead of"):
        await worker.start()
    await worker.close()


@pytest.mark.parametrize("audio", [np.zeros(24_000), np.full(24_000, 1e-5), np.ones(100), np.ones(48_000), np.zeros(0)])
def test_what_is_not_audible(audio: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    with pytest.raises(NotAudible):
        judge([to_pcm(audio.astype(np.float32))], 24_000, Bounds(0.5, 1.5))


def test_no_audio_at_all_is_not_audible_whatever_its_length_may_be() -> None:
    with pytest.raises(NotAudible):
        judge([], 24_000, Bounds(0.0, 1.0))


def test_what_is_not_a_number_is_not_audible() -> None:
    engine = ArtificialEngine()
    engine.probe = Utterance("NAN " * 10, "one")
    with pytest.raises(NotAudible, match="not finite numbers"):
        warm_up(engine)


def test_warming_up_measures() -> None:
    kept = np.ones(20_000_000)
    measured = warm_up(ArtificialEngine())
    assert measured.first_audio_seconds > 0
    assert measured.real_time_factor > 0
    assert measured.audio_seconds == 1.0
    assert measured.peak_memory > kept.nbytes
    assert measured.peak_gpu_memory is None
