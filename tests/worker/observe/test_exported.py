"""Dashboards and alerts depend on the exported metrics: their names, types, labels and buckets are fixed here."""

from tests.support.exported import Exported, exported, rows
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.serving import serving
from ttscontract.metric import Exporter
from ttscontract.metrics import CATALOGUE
from ttsworker.fetch import progress
from ttsworker.observe.gpu import GpuFigures
from ttsworker.observe.metrics import Metrics

LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
WORKER: Exported = {
    "tts_active_requests": ("gauge", (), ()),
    "tts_audio_duration_seconds": ("histogram", (), (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)),
    "tts_audio_seconds_total": ("counter", (), ()),
    "tts_backlog_audio_seconds": ("gauge", (), ()),
    "tts_batch_size": ("histogram", (), (1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 16.0)),
    "tts_cache_available": ("gauge", (), ()),
    "tts_cache_errors_total": ("counter", ("reason",), ()),
    "tts_cache_hits_total": ("counter", (), ()),
    "tts_cache_misses_total": ("counter", (), ()),
    "tts_gpu_memory_used_bytes": ("gauge", (), ()),
    "tts_gpu_memory_used_ratio": ("gauge", (), ()),
    "tts_gpu_utilization_ratio": ("gauge", (), ()),
    "tts_load_ratio": ("gauge", (), ()),
    "tts_max_concurrency": ("gauge", (), ()),
    "tts_model_ready": ("gauge", ("model",), ()),
    "tts_queue_depth": ("gauge", (), ()),
    "tts_queue_wait_seconds": ("histogram", (), LATENCY),
    "tts_real_time_factor": ("histogram", (), (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)),
    "tts_rejected_total": ("counter", ("reason",), ()),
    "tts_request_duration_seconds": ("histogram", (), LATENCY),
    "tts_request_latency_seconds": ("histogram", (), LATENCY),
    "tts_requests_in_flight": ("gauge", (), ()),
    "tts_requests_with_ignored_fields_total": ("counter", (), ()),
    "tts_requests_total": ("counter", ("model", "status"), ()),
    "tts_skipped_characters_total": ("counter", (), ()),
    "tts_time_to_first_audio_seconds": ("histogram", (), LATENCY),
    "tts_voice_info": ("gauge", ("voice", "language"), ()),
    "tts_warmup_first_audio_seconds": ("gauge", (), ()),
    "tts_warmup_peak_gpu_memory_bytes": ("gauge", (), ()),
    "tts_warmup_peak_memory_bytes": ("gauge", (), ()),
    "tts_warmup_real_time_factor": ("gauge", (), ()),
}
DOWNLOAD: Exported = {
    "tts_model_download_bytes": ("gauge", (), ()),
    "tts_model_download_total_bytes": ("gauge", (), ()),
}


def test_a_worker_with_a_gpu_exports_every_metric() -> None:
    gpu = GpuFigures(count=1, name="T4", driver_version="535", utilization=0.25, memory_used=3, memory_total=4)
    metrics = Metrics(read_gpu=lambda: gpu, max_concurrency=1)
    metrics.answered("model", "200", 1.0)
    metrics.rejected.labels("draining").inc()
    metrics.cache_failed("full")
    metrics.set_warm_up(real_time_factor=0.1, first_audio_seconds=0.1, peak_memory=5, peak_gpu_memory=7)
    metrics.set_model("model", {"voice": "en"}, lambda: True)
    assert exported(metrics.registry) == rows(Exporter.WORKER) == WORKER


def test_a_download_exports_its_progress() -> None:
    assert exported(progress.registry(progress.Progress())) == rows(Exporter.DOWNLOAD) == DOWNLOAD


async def test_a_running_worker_exports_these_and_no_others() -> None:
    async with serving(ArtificialEngine()) as served:
        await served.client.post("/v1/audio/speech", json={"input": "One sentence."})
        running = exported(served.worker.metrics.registry)
    types = {name: kind for name, (kind, _, _) in WORKER.items() if "gpu" not in name}
    assert {name: kind for name, (kind, _, _) in running.items()} == types


def test_optional_metrics_are_absent_while_their_value_is_unknown() -> None:
    families = Metrics(read_gpu=lambda: None, max_concurrency=1).registry.collect()
    optional = {row.name for row in CATALOGUE if row.optional}
    assert optional
    assert not optional & {family.name for family in families}
