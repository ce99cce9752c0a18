"""What Prometheus, the operator and the HPA read."""

import asyncio
import logging

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.worker.artificial import SECONDS_PER_CHARACTER, ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import WorkerProcess, serving, until
from ttsworker.engines.hibari.engine import HibariEngine
from ttsworker.observe.gpu import GpuFigures
from ttsworker.observe.metrics import Metrics

NAMES = {
    "tts_requests_total", "tts_request_duration_seconds", "tts_requests_in_flight", "tts_queue_depth",
    "tts_queue_wait_seconds", "tts_backlog_audio_seconds", "tts_batch_size", "tts_time_to_first_audio_seconds",
    "tts_audio_seconds_total", "tts_real_time_factor", "tts_rejected_total", "tts_model_ready", "tts_load_ratio",
    "tts_max_concurrency",
    "tts_request_latency_seconds", "tts_active_requests", "tts_audio_duration_seconds",
    "tts_warmup_real_time_factor", "tts_warmup_first_audio_seconds", "tts_warmup_peak_memory_bytes",
    "tts_voice_info",
}  # fmt: skip


def scrape(worker: WorkerProcess) -> dict[str, float]:
    """Return every sample by its name, with its labels as they are written."""
    families = text_string_to_metric_families(httpx.get(worker.metrics_url, timeout=60).text)
    samples = [sample for family in families for sample in family.samples]
    return {f"{sample.name}{sample.labels or ''}": sample.value for sample in samples}


def test_the_names_and_values(hibari: WorkerProcess, api: httpx.Client) -> None:
    before = scrape(hibari)
    text = {"input": "One sentence. And another one.", "response_format": "wav"}
    audio = api.post(SPEECH, json=text, headers={"X-Request-ID": "good"})
    api.post(SPEECH, json={"input": ""}, headers={"X-Request-ID": "bad"})
    for name in ("good", "bad"):
        hibari.wait_for("request", request_id=name)  # they are counted when their answer has been sent
    after = scrape(hibari)
    families = {
        name.split("{", maxsplit=1)[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for name in after
    }
    assert NAMES - families == {"tts_rejected_total"}  # has a label, and nothing was rejected yet

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    seconds = (len(audio.content) - 44) / 48_000
    assert grown("tts_requests_total{'model': 'hibari', 'status': '200'}") == 1
    assert grown("tts_requests_total{'model': 'hibari', 'status': '400'}") == 1
    assert abs(grown("tts_audio_duration_seconds_sum") - seconds) < 1e-6
    spoken = seconds - HibariEngine.pause_seconds  # the pause between the two sentences is no work of the engine
    assert grown("tts_audio_seconds_total") >= spoken - 1e-6  # a test synthesis may have come between
    for name in ("tts_time_to_first_audio_seconds", "tts_queue_wait_seconds"):
        assert grown(f"{name}_count") == 1
    for name in ("tts_request_duration_seconds", "tts_request_latency_seconds"):
        assert grown(f"{name}_count") == 2
    assert grown("tts_batch_size_count") >= 2
    assert (after["tts_queue_depth"], after["tts_requests_in_flight"], after["tts_load_ratio"]) == (0, 0, 0)
    assert after["tts_model_ready{'model': 'hibari'}"] == 1
    assert after["tts_voice_info{'language': 'en-US', 'voice': 'heart'}"] == 1
    assert after["tts_warmup_first_audio_seconds"] > 0
    ready = hibari.wait_for("ready")
    assert after["tts_warmup_real_time_factor"] == ready["real_time_factor"] > 0
    assert after["tts_warmup_peak_memory_bytes"] == ready["peak_memory_bytes"] > 50e6  # Python and the voice
    assert not any(name.startswith("tts_gpu") for name in after)


def test_everything_answers_while_the_real_engine_speaks_a_long_text(hibari: WorkerProcess, api: httpx.Client) -> None:
    long = {"input": "This sentence is one of sixty that are spoken for one client. " * 60, "response_format": "wav"}
    with httpx.Client(base_url=hibari.url, timeout=200) as other, other.stream("POST", SPEECH, json=long) as answer:
        chunks = answer.iter_bytes()
        next(chunks)
        assert api.get("/health").status_code == api.get("/ready").status_code == 200
        short = api.post(SPEECH, json={"input": "A short text."}, headers={"X-Request-ID": "short"})
        assert short.status_code == 200
        hibari.wait_for("request", request_id="short")
        during = scrape(hibari)
        assert during["tts_backlog_audio_seconds"] > 0
        assert during["tts_requests_in_flight"] == 1
        assert sum(map(len, chunks)) > 60 * 2 * 48_000


async def test_the_load_is_exported_while_it_lasts() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_concurrency=2, max_queue_length=3) as served:
        value = served.worker.metrics.registry.get_sample_value
        engine.gate.clear()
        texts = [str(number) + "a" * 149 for number in range(5)]
        requests = [asyncio.create_task(served.client.post(SPEECH, json={"input": text})) for text in texts]
        await until(lambda: served.worker.admission.accepted == 5 and len(engine.begun) == 1)
        assert (await served.client.post(SPEECH, json={"input": "a"})).status_code == 429
        assert value("tts_queue_depth") == 3
        assert value("tts_requests_in_flight") == value("tts_active_requests") == 2
        assert value("tts_load_ratio") == 1.0
        # Between the first guess and what this engine has been seen to need, the health check's sentence.
        assert 4 * 150 * SECONDS_PER_CHARACTER < (value("tts_backlog_audio_seconds") or 0) < 4 * 150 / 15
        assert value("tts_max_concurrency") == 2
        assert value("tts_rejected_total", {"reason": "queue_full"}) == 1
        engine.gate.set()
        await asyncio.gather(*requests)
        await until(lambda: served.worker.admission.accepted == 0)
        assert value("tts_queue_depth") == value("tts_requests_in_flight") == value("tts_backlog_audio_seconds") == 0
        served.stop.set()
        await served.ended
        assert value("tts_model_ready", {"model": "artificial"}) == 0


async def test_durations_are_those_of_the_workers_clock(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    engine, clock = ArtificialEngine(), ManualClock()
    async with serving(engine, clock=clock) as served:
        value = served.worker.metrics.registry.get_sample_value
        engine.gate.clear()
        asked = asyncio.create_task(served.client.post(SPEECH, json={"input": "Hello."}))
        await until(lambda: engine.begun == ["Hello."])
        clock.advance(3)
        engine.gate.set()
        assert (await asked).status_code == 200
        await until(lambda: value("tts_request_duration_seconds_count") == 1)
        for name in ("tts_request_duration_seconds", "tts_request_latency_seconds", "tts_time_to_first_audio_seconds"):
            assert value(f"{name}_sum") == 3
        assert [vars(line)["seconds"] for line in caplog.records if line.message == "request"] == [3]


async def test_no_label_has_a_clients_words_in_it() -> None:
    async with serving(ArtificialEngine()) as served:
        for number in range(20):
            await served.client.get(f"/nowhere/{number}")
            await served.client.post(
                SPEECH, json={"input": f"Text {number}.", "voice": f"v{number}", "model": f"m{number}"}
            )
        labels = {
            tuple(sample.labels.items())
            for family in served.worker.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "tts_requests_total"
        }
        assert labels == {(("model", "artificial"), ("status", "404"))}


def test_the_gpus_metrics() -> None:
    figures = GpuFigures(count=1, name="T4", driver_version="535", utilization=0.25, memory_used=3, memory_total=4)
    value = Metrics(read_gpu=lambda: figures, max_concurrency=1).registry.get_sample_value
    assert value("tts_gpu_utilization_ratio") == 0.25
    assert value("tts_gpu_memory_used_ratio") == 0.75


def test_the_gpus_peak_memory_is_exported_where_there_is_a_gpu() -> None:
    metrics = Metrics(read_gpu=lambda: None, max_concurrency=1)
    value = metrics.registry.get_sample_value
    for peak in (None, 7):
        metrics.set_warm_up(real_time_factor=0.1, first_audio_seconds=0.1, peak_memory=5, peak_gpu_memory=peak)
        assert value("tts_warmup_peak_memory_bytes") == 5
        assert value("tts_warmup_peak_gpu_memory_bytes") == peak
