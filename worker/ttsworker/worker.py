"""The worker's life: load the model, warm up, serve, drain, end."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from ttsworker.admission import Admission
from ttsworker.cpu import cpu_limit
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, find_engine
from ttsworker.gpu import GpuMonitor
from ttsworker.health import Health, NotAudible, WarmUp, warm_up
from ttsworker.metrics import Metrics
from ttsworker.requests import SpeechRequest, Utterance, check_text, choose_language, choose_voice
from ttsworker.scheduler import Scheduler
from ttsworker.settings import Settings
from ttsworker.store import verify_model
from ttsworker.text import split_sentences
from ttsworker.threads import CallThread

CHARACTERS_PER_SECOND = 15.0
"""Of read English, to estimate how much audio waits to be spoken."""

log = logging.getLogger(__name__)

EngineFactory = Callable[[EngineOptions], Engine]


class Worker:
    """Everything behind the HTTP routes. `engine`, `scheduler` and `health` are there once it is loaded."""

    engine: Engine
    scheduler: Scheduler
    health: Health

    def __init__(self, settings: Settings, make_engine: EngineFactory | None = None) -> None:
        self.settings = settings
        self.gpu = GpuMonitor()
        self.metrics = Metrics(read_gpu=self.gpu.read, max_concurrency=settings.max_concurrency)
        self.admission = Admission(
            refused=lambda reason: self.metrics.rejected.labels(reason).inc(),
            max_concurrency=settings.max_concurrency,
            max_queue_length=settings.max_queue_length,
        )
        self.loaded = False
        self._make_engine = make_engine
        self._loader = CallThread("loader")
        self._background: list[asyncio.Task[None]] = []

    @property
    def model_name(self) -> str:
        """What clients call the model."""
        return self.settings.model_name or self.engine.model_name

    def problem(self) -> str | None:
        """Say why the worker is unhealthy; starting and draining are healthy."""
        return self.health.problem() if self.loaded else None

    def not_ready(self) -> str | None:
        """Say why no new request should be sent here; None when one may."""
        return self.problem() if self.admission.state == "open" else self.admission.state

    async def start(self) -> None:
        """Load the model, speak with it and open the doors; raises ModelError."""
        try:
            self.engine, measured = await self._loader.run(self._load)
        finally:
            self._loader.stop()
        settings = self.settings
        self.scheduler = Scheduler(self.engine, self.metrics, max_concurrency=settings.max_concurrency)
        self.health = Health(
            self.engine,
            self.scheduler,
            self.gpu,
            interval=settings.health_interval_seconds,
            patience=settings.request_timeout_seconds,
        )
        self.loaded = True
        self._publish(measured)
        await self.health.check()
        self._background.append(asyncio.create_task(self.health.watch()))
        if self.admission.state == "starting":
            self.admission.state = "open"
        log.info(
            "ready",
            extra={
                "model": self.model_name,
                "device": self.engine.device,
                "real_time_factor": measured.real_time_factor,
            },
        )

    def utterances(self, request: SpeechRequest, *, param: str = "input") -> Sequence[Utterance]:
        """Return the sentences of a request; raises ApiError 400 for what cannot be spoken."""
        text = check_text(request.input, self.settings.max_text_length, param=param)
        voice = choose_voice(request.voice, self.engine.voices)
        language = choose_language(request.language, voice, self.engine.languages)
        return [Utterance(sentence, voice.name, language, request.speed) for sentence in split_sentences(text)]

    async def drain(self) -> int:
        """Refuse new requests and finish the accepted ones; returns how many the time did not suffice for."""
        self.admission.state = "draining"
        log.info("draining", extra={"requests": self.admission.accepted})
        try:
            async with asyncio.timeout(self.settings.drain_timeout_seconds):
                await self.admission.empty()
        except TimeoutError:
            lost = self.admission.accepted
            log.error("drain timeout", extra={"requests_lost": lost})
            self.scheduler.interrupt()
            return lost
        return 0

    async def close(self) -> bool:
        """Stop all tasks and threads; false when the engine does not come back."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._loader.stop()
        if not self.loaded:
            return self._loader.join(timeout=1.0)
        if not await self.scheduler.close(patience=1.0):
            return False
        self.engine.close()
        self.gpu.close()
        return True

    def _load(self) -> tuple[Engine, WarmUp]:
        settings = self.settings
        if settings.model_dir:
            verify_model(settings.model_dir)
        make_engine = self._make_engine or find_engine(settings.engine)
        threads = settings.threads or cpu_limit()
        log.info("loading", extra={"engine": settings.engine, "model_dir": settings.model_dir, "threads": threads})
        engine = make_engine(EngineOptions(settings.model_dir, threads, settings.precision))
        engine.load()
        try:
            return engine, warm_up(engine)
        except NotAudible as error:
            raise ModelInvalid(f"the model cannot speak: {error}") from error

    def _publish(self, measured: WarmUp) -> None:
        metrics = self.metrics
        metrics.set_warm_up(
            real_time_factor=measured.real_time_factor, first_audio_seconds=measured.first_audio_seconds
        )
        metrics.set_model(self.model_name, tuple(self.engine.voices), lambda: self.not_ready() is None)
        metrics.watch_load(
            lambda: self.scheduler.waiting,
            lambda: self.admission.accepted,
            lambda: self.scheduler.waiting_characters / CHARACTERS_PER_SECOND,
        )
