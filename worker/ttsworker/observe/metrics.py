"""What Prometheus, the operator and the HPA read on the metrics port. No label holds a client's words."""

from collections.abc import Callable, Mapping

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector

from ttscontract import metrics as catalogue
from ttscontract.metric import Exporter
from ttsworker.observe.collectors import Collectors, OptionalValues
from ttsworker.observe.gpu import GpuFigures


class Metrics:
    """The worker's metrics, in a registry of their own."""

    def __init__(self, *, read_gpu: Callable[[], GpuFigures | None], max_concurrency: int) -> None:
        collectors = Collectors(Exporter.WORKER)
        self.registry = collectors.registry
        self._counters, self._gauges, self._histograms = collectors.counters, collectors.gauges, collectors.histograms
        self.rejected = self._counters[catalogue.REJECTED]
        self.with_ignored_fields = self._counters[catalogue.WITH_IGNORED_FIELDS]
        self.first_audio = self._histograms[catalogue.FIRST_AUDIO]
        self.audio_duration = self._histograms[catalogue.AUDIO_DURATION]
        self.skipped_characters = self._counters[catalogue.SKIPPED_CHARACTERS]
        self._max_concurrency = max_concurrency
        self._gauges[catalogue.MAX_CONCURRENCY].set(max_concurrency)
        self._models: set[str] = set()
        self._warm_up: OptionalValues = {}
        collectors.on_scrape(lambda: self._warm_up)
        collectors.on_scrape(lambda: _gpu_values(read_gpu()))
        for make in (PlatformCollector, GCCollector, ProcessCollector):
            make(registry=self.registry)

    def watch_load(self, waiting: Callable[[], int], accepted: Callable[[], int], backlog: Callable[[], float]) -> None:
        """Read the load through these functions at each scrape. `backlog` is in seconds of audio."""

        def in_flight() -> int:
            return max(0, accepted() - waiting())

        self._gauges[catalogue.QUEUE_DEPTH].set_function(waiting)
        self._gauges[catalogue.BACKLOG].set_function(backlog)
        self._gauges[catalogue.LOAD].set_function(lambda: in_flight() / self._max_concurrency)
        for row in (catalogue.REQUESTS_IN_FLIGHT, catalogue.ACTIVE_REQUESTS):
            self._gauges[row].set_function(in_flight)

    def set_model(self, model: str, languages: Mapping[str, str], is_ready: Callable[[], bool]) -> None:
        """Export a model that was loaded: its name, the language of each voice, its readiness. Others are not ready."""
        ready, voices = self._gauges[catalogue.MODEL_READY], self._gauges[catalogue.VOICE_INFO]
        for other in self._models - {model}:
            ready.labels(other).set_function(lambda: 0)
        self._models.add(model)
        ready.labels(model).set_function(is_ready)
        voices.clear()
        for voice, language in languages.items():
            voices.labels(voice, language).set(1)

    def set_warm_up(
        self, *, real_time_factor: float, first_audio_seconds: float, peak_memory: int, peak_gpu_memory: int | None
    ) -> None:
        """Export what the warm-up of the model measured; memory is in bytes."""
        self._warm_up = {
            catalogue.WARM_UP_REAL_TIME_FACTOR: real_time_factor,
            catalogue.WARM_UP_FIRST_AUDIO: first_audio_seconds,
            catalogue.WARM_UP_PEAK_MEMORY: peak_memory,
            catalogue.WARM_UP_PEAK_GPU_MEMORY: peak_gpu_memory,
        }

    def answered(self, model: str, status: str, seconds: float) -> None:
        """Count a speech request. `status` is the HTTP status, 499 (its client left), `slow_client` or `aborted`."""
        self._counters[catalogue.REQUESTS].labels(model, status).inc()
        for row in (catalogue.REQUEST_DURATION, catalogue.REQUEST_LATENCY):
            self._histograms[row].observe(seconds)

    def request_started(self, waited_seconds: float) -> None:
        """Count a request whose first sentence the engine takes now."""
        self._histograms[catalogue.QUEUE_WAIT].observe(waited_seconds)

    def synthesized(self, sentences: int, audio_seconds: float, work_seconds: float) -> None:
        """Count one call of the engine."""
        self._histograms[catalogue.BATCH_SIZE].observe(sentences)
        self._counters[catalogue.AUDIO].inc(audio_seconds)
        if audio_seconds > 0:
            self._histograms[catalogue.REAL_TIME_FACTOR].observe(work_seconds / audio_seconds)

    def cache_looked_up(self, *, hits: int, misses: int) -> None:
        """Count the sentences of one look-up in the cache."""
        self._counters[catalogue.CACHE_HITS].inc(hits)
        self._counters[catalogue.CACHE_MISSES].inc(misses)

    def cache_failed(self, reason: str) -> None:
        """Count one failure of the cache."""
        self._counters[catalogue.CACHE_ERRORS].labels(reason).inc()

    def cache_available(self, *, available: bool) -> None:
        """Export whether the worker uses the cache at present."""
        self._gauges[catalogue.CACHE_AVAILABLE].set(available)


def _gpu_values(figures: GpuFigures | None) -> OptionalValues:
    if figures is None:
        return {}
    return {
        catalogue.GPU_UTILIZATION: figures.utilization,
        catalogue.GPU_MEMORY_USED_RATIO: figures.memory_used_ratio,
        catalogue.GPU_MEMORY_USED: figures.memory_used,
    }
