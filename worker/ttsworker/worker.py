"""The worker: builds its parts, and starts, drains and closes them."""

import asyncio
import functools
import logging

from ttsworker.cache import AudioCache, Observer, open_cache
from ttsworker.cache.batched_get import GET_SECONDS
from ttsworker.clock import Clock, SystemClock
from ttsworker.engines.cpu import cpu_limit
from ttsworker.http.app import create_app
from ttsworker.http.metrics_server import MetricsServer
from ttsworker.http.server import catch_signals, listen, serve
from ttsworker.http.tls import load_certificate
from ttsworker.models.failover import Failover
from ttsworker.models.loaded import EngineFactory, LoadedModel, ModelOptions, load
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.observe.metrics import Metrics
from ttsworker.observe.tracing import make_tracer
from ttsworker.redis.client import RedisClient
from ttsworker.scheduling.admission import Admission, Refusal
from ttsworker.scheduling.answer_memory import AnswerMemory
from ttsworker.scheduling.threads import CallThreads
from ttsworker.settings import Settings
from ttsworker.speech.parts import Parts
from ttsworker.speech.voices import lacking_aliases

EXIT_SECONDS = 1.0
"""How long the end of the worker waits for an engine that is still in a call."""

log = logging.getLogger(__name__)


class Worker:
    """The parts behind the HTTP application, and their life. `cache` replaces the one that the settings name.

    Made in the event loop; raises InvalidSettings.
    """

    def __init__(
        self,
        settings: Settings,
        make_engine: EngineFactory | None = None,
        *,
        clock: Clock | None = None,
        cache: AudioCache | None = None,
        exit_timeout: float = EXIT_SECONDS,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.gpu = GpuMonitor()
        self.metrics = Metrics(read_gpu=self.gpu.read, max_concurrency=settings.max_concurrency)
        self.redis = connect_redis(settings, self.clock, self.metrics)
        self.cache = cache or open_cache(
            self.redis,
            ttl_seconds=settings.cache_ttl_seconds,
            memory_bytes=settings.cache_memory_bytes,
            observer=self.metrics,
            clock=self.clock,
        )
        self.admission = Admission(
            on_refused=self._count_refusal,
            max_concurrency=settings.max_concurrency,
            max_queue_length=settings.max_queue_length,
            max_queue_audio_seconds=settings.max_queue_audio_seconds,
        )
        self._exit_timeout = exit_timeout
        self.failover = Failover(_models(settings), self._load, clock=self.clock, on_activated=self._publish)
        memory = AnswerMemory(settings.max_answer_bytes, self._count_refusal)
        self.parts = Parts(settings, self.admission, self.failover, self.cache, self.metrics, self.clock, memory)
        self._make_engine = make_engine
        self._loader = CallThreads("loader")
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load a model, check that it speaks and accept requests; raises ModelError."""
        await self.failover.start()
        self.metrics.watch_load(
            lambda: self.failover.active.scheduler.waiting,
            lambda: self.admission.accepted,
            lambda: self.failover.active.scheduler.backlog_seconds,
        )
        self._watching = asyncio.create_task(self.failover.watch())
        if self.admission.state == "starting":
            self.admission.state = "open"
        model = self.failover.active
        log.info(
            "ready",
            extra={
                "model": model.name,
                "device": model.engine.device,
                "real_time_factor": model.measured.real_time_factor,
                "peak_memory_bytes": model.measured.peak_memory,
                "peak_gpu_memory_bytes": model.measured.peak_gpu_memory,
            },
        )

    async def drain(self) -> int:
        """Refuse new requests and finish the accepted ones; returns how many were cut off by the drain timeout."""
        self.admission.state = "draining"
        log.info("draining", extra={"requests": self.admission.accepted})
        try:
            async with self.clock.timeout(self.settings.drain_timeout_seconds):
                await self.admission.empty()
        except TimeoutError:
            lost = self.admission.accepted
            log.error("drain timeout", extra={"requests_lost": lost})
            self.failover.active.scheduler.interrupt()
            return lost
        return 0

    async def close(self) -> bool:
        """Stop all tasks and threads; false when an engine does not return from a call."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._loader.stop()
        loader_ended = await asyncio.to_thread(self._loader.join, self._exit_timeout)
        await self.cache.close()
        if self.redis:
            await self.redis.close()
        if not (await self.failover.close() and loader_ended):
            return False
        self.gpu.close()
        return True

    def _count_refusal(self, code: Refusal) -> None:
        self.metrics.rejected.labels(code).inc()

    async def _load(self, options: ModelOptions) -> LoadedModel:
        threads = self.settings.threads or cpu_limit()
        loaded = await self._loader.run(functools.partial(load, options, threads, self._make_engine))
        model = LoadedModel(
            loaded,
            options,
            self.settings,
            metrics=self.metrics,
            clock=self.clock,
            exit_timeout=self._exit_timeout,
            read_gpu=self.gpu.read,
            on_synthesized=self.cache.put,
            on_outcome=self.failover.record_outcome,
        )
        await model.start()
        return model

    def _publish(self, model: LoadedModel) -> None:
        measured = model.measured
        self.metrics.set_warm_up(
            real_time_factor=measured.real_time_factor,
            first_audio_seconds=measured.first_audio_seconds,
            peak_memory=measured.peak_memory,
            peak_gpu_memory=measured.peak_gpu_memory,
        )
        if lacking := lacking_aliases(model.engine.voices, self.settings.voice_aliases):
            log.warning("the model lacks the voices of aliases", extra={"model": model.name, "aliases": lacking})
        languages = {voice.name: voice.language for voice in model.engine.voices}
        self.metrics.set_model(model.name, languages, lambda: self.parts.not_ready() is None)


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns the process's exit code.

    Raises InvalidSettings for a port in use or a certificate that cannot be used.
    """
    certificate = load_certificate(settings)
    worker = Worker(settings)
    listener = listen(settings.host, settings.port)
    metrics_listener = listen(settings.host, settings.metrics_port, "METRICS_PORT")
    metrics_port = metrics_listener.getsockname()[1]
    metrics_server = MetricsServer(metrics_listener, worker.metrics.registry)
    stop = catch_signals()  # before the log line below, at which others take this process for one that ends well
    port, scheme = listener.getsockname()[1], "https" if certificate else "http"
    log.info("listening", extra={"port": port, "scheme": scheme, "metrics_port": metrics_port})
    tracer = make_tracer()
    renewing = asyncio.create_task(certificate.watch(worker.clock)) if certificate else None
    try:
        app = create_app(worker.parts, tracer, worker.redis)
        return await serve(
            app, worker, settings, listener=listener, stop=stop, clock=worker.clock, certificate=certificate
        )
    finally:
        tracer.close()
        await asyncio.to_thread(metrics_server.close)
        if renewing:
            renewing.cancel()


def connect_redis(settings: Settings, clock: Clock, observer: Observer | None = None) -> RedisClient | None:
    """Return the client that the cache and the rate limits share, None without a `redis_url`.

    Needs the running event loop; raises InvalidSettings. The observer is the cache's: without one it hears nothing.
    """
    if settings.redis_url is None:
        return None
    if not settings.cache_ttl_seconds:
        return RedisClient(settings.redis_url, clock=clock)
    return RedisClient(settings.redis_url, observer, clock=clock, answer_seconds=GET_SECONDS)


def _models(settings: Settings) -> list[ModelOptions]:
    manager = settings.managed_by
    first = ModelOptions(settings.engine, settings.model_dir, settings.model_name, settings.precision, manager)
    others = (
        ModelOptions(each.engine, each.model_dir, each.model_name, managed_by=manager) for each in settings.fallbacks
    )
    return [first, *others]
