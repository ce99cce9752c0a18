"""What Prometheus, the operator and the HPA read on the metrics port. No label has a client's words in it."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector
from prometheus_client import ProcessCollector as Process
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ttsworker.cache.interface import Reason
from ttsworker.engines import Voice
from ttsworker.models.warmup import WarmUp
from ttsworker.observe.gpu import GpuFigures

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
FACTOR_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The worker's metrics in a registry of their own. `tts_load_ratio` is in flight by `max_concurrency`."""

    def __init__(self, *, read_gpu: Callable[[], GpuFigures | None], max_concurrency: int) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("tts_requests", "Answered requests for speech", ["model", "status"], registry=registry)
        self.rejected = Counter("tts_rejected", "Requests that were not accepted", ["reason"], registry=registry)
        self._durations = [
            Histogram(
                name, "Seconds from a request to the end of its answer", buckets=LATENCY_BUCKETS, registry=registry
            )
            for name in ("tts_request_duration_seconds", "tts_request_latency_seconds")
        ]
        self.first_audio = Histogram(
            "tts_time_to_first_audio_seconds", "Seconds to the first audio", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.queue_wait = Histogram(
            "tts_queue_wait_seconds",
            "Seconds a request waited for its turn",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.audio_duration = Histogram(
            "tts_audio_duration_seconds",
            "Audio of one request",
            buckets=(0.5, 1, 2, 5, 10, 30, 60, 120, 300),
            registry=registry,
        )
        self._audio = Counter("tts_audio_seconds", "Audio spoken", registry=registry)
        self._real_time_factor = Histogram(
            "tts_real_time_factor", "Seconds of work by second of audio", buckets=FACTOR_BUCKETS, registry=registry
        )
        self._batch_size = Histogram(
            "tts_batch_size", "Sentences spoken in one call", buckets=(1, 2, 3, 4, 5, 8, 16), registry=registry
        )
        self._queue_depth = Gauge("tts_queue_depth", "Requests waiting for a place", registry=registry)
        self._backlog = Gauge("tts_backlog_audio_seconds", "Audio still to be spoken, estimated", registry=registry)
        self._in_flight = [
            Gauge(name, "Accepted requests that do not wait", registry=registry)
            for name in ("tts_requests_in_flight", "tts_active_requests")
        ]
        self._load = Gauge("tts_load_ratio", "Requests in flight by max_concurrency", registry=registry)
        Gauge("tts_max_concurrency", "Requests that are spoken in turn; more wait", registry=registry).set(
            max_concurrency
        )
        self._max_concurrency = max_concurrency
        self._cache_hits = Counter("tts_cache_hits", "Sentences found in the cache", registry=registry)
        self._cache_misses = Counter("tts_cache_misses", "Sentences looked for in vain", registry=registry)
        self._cache_errors = Counter("tts_cache_errors", "Failures of the cache", ["reason"], registry=registry)
        self._cache_available = Gauge("tts_cache_available", "1 when the cache is asked", registry=registry)
        self._model_ready = Gauge("tts_model_ready", "1 when the model can speak", ["model"], registry=registry)
        self._models: set[str] = set()
        self._voices = Gauge("tts_voice_info", "A voice of the model", ["voice", "language"], registry=registry)
        self._warm_up = _WarmUp()
        registry.register(self._warm_up)
        self._read_gpu = read_gpu
        registry.register(_Gpu(read_gpu))
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Process(registry=registry)

    def watch_load(self, waiting: Callable[[], int], accepted: Callable[[], int], backlog: Callable[[], float]) -> None:
        """Read these numbers whenever the metrics are asked for."""

        def in_flight() -> int:
            return max(0, accepted() - waiting())

        self._queue_depth.set_function(waiting)
        self._backlog.set_function(backlog)
        self._load.set_function(lambda: in_flight() / self._max_concurrency)
        for gauge in self._in_flight:
            gauge.set_function(in_flight)

    def set_model(self, model: str, voices: tuple[Voice, ...], is_ready: Callable[[], bool]) -> None:
        """Tell the name and the voices of the model at work, once it is loaded; others are not ready then."""
        for other in self._models - {model}:
            self._model_ready.labels(other).set_function(lambda: 0)
        self._models.add(model)
        self._model_ready.labels(model).set_function(is_ready)
        self._voices.clear()
        for voice in voices:
            self._voices.labels(voice.name, voice.language).set(1)

    def set_warm_up(self, measured: WarmUp) -> None:
        """Tell what was measured before the model at work became ready."""
        self._warm_up.measured = measured

    def answered(self, model: str, status: str, seconds: float) -> None:
        """Count a request for speech; `status` is the HTTP status, 499 for a client gone, or `aborted`."""
        self.requests.labels(model, status).inc()
        for histogram in self._durations:
            histogram.observe(seconds)

    def spoken(self, sentences: int, audio_seconds: float, work_seconds: float) -> None:
        """Count one call of the engine."""
        self._batch_size.observe(sentences)
        self._audio.inc(audio_seconds)
        if audio_seconds > 0:
            self._real_time_factor.observe(work_seconds / audio_seconds)

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        """Count the sentences of one look into the cache."""
        self._cache_hits.inc(hits)
        self._cache_misses.inc(misses)

    def cache_failed(self, reason: Reason) -> None:
        """Count what the cache did not do."""
        self._cache_errors.labels(reason).inc()

    def cache_available(self, *, available: bool) -> None:
        """Tell whether the cache is asked at present."""
        self._cache_available.set(available)


class _WarmUp(Collector):
    """What was measured at the start; absent until then, as 0 would be a wrong figure."""

    def __init__(self) -> None:
        self.measured: WarmUp | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if not (measured := self.measured):
            return
        yield _gauge("real_time_factor", "Work by second of audio at the start", measured.real_time_factor)
        yield _gauge("first_audio_seconds", "Seconds to the first audio at the start", measured.first_audio_seconds)
        yield _gauge("peak_memory_bytes", "Most memory held at the start", measured.peak_memory)
        if measured.peak_gpu_memory is not None:
            yield _gauge("peak_gpu_memory_bytes", "Most GPU memory held at the start", measured.peak_gpu_memory)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tts_warmup_{name}", documentation, value)


class _Gpu(Collector):
    """The GPU's figures at the time they are asked for; none where there is no GPU."""

    def __init__(self, read: Callable[[], GpuFigures | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        figures = self._read()
        if figures is None:
            return
        if figures.utilization is not None:
            yield GaugeMetricFamily("tts_gpu_utilization_ratio", "Busy time of the GPU, 0 to 1", figures.utilization)
        yield GaugeMetricFamily("tts_gpu_memory_used_ratio", "Used GPU memory, 0 to 1", figures.memory_used_ratio)
        yield GaugeMetricFamily("tts_gpu_memory_used_bytes", "Used GPU memory", figures.memory_used)
