"""The worker's life: load a model, serve, drain, end."""

import asyncio
import functools
import logging
from collections.abc import Sequence

from ttsworker.cache import AudioCache, InvalidRedisUrl, open_cache
from ttsworker.engines import Engine, Utterance
from ttsworker.engines.cpu import cpu_limit
from ttsworker.models.failover import RETRY_SECONDS, Failover
from ttsworker.models.health import Health
from ttsworker.models.loaded import EngineFactory, LoadedModel, ModelOptions, load
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling import Scheduler
from ttsworker.scheduling.admission import Admission
from ttsworker.scheduling.threads import CallThreads
from ttsworker.settings import InvalidSettings, Settings
from ttsworker.speech.request import SpeechRequest, utterances_of
from ttsworker.speech.validation import check_text

log = logging.getLogger(__name__)


class Worker:
    """Everything behind the HTTP routes. `speaker` is there once it is loaded.

    Made in the event loop; raises InvalidSettings.
    """

    def __init__(
        self,
        settings: Settings,
        make_engine: EngineFactory | None = None,
        *,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
    ) -> None:
        self.settings = settings
        self.gpu = GpuMonitor()
        self.metrics = Metrics(read_gpu=self.gpu.read, max_concurrency=settings.max_concurrency)
        self.cache = self._open_cache()
        self.admission = Admission(
            refused=lambda reason: self.metrics.rejected.labels(reason).inc(),
            max_concurrency=settings.max_concurrency,
            max_queue_length=settings.max_queue_length,
            max_queue_audio_seconds=settings.max_queue_audio_seconds,
        )
        self.failover = Failover(_models(settings), self._load, self._publish, retry_seconds=retry_seconds)
        self.loaded = False
        self._make_engine = make_engine
        self._loader = CallThreads("loader")
        self._watching: asyncio.Task[None] | None = None

    @property
    def speaker(self) -> LoadedModel:
        """The model at work."""
        return self.failover.speaker

    @property
    def engine(self) -> Engine:
        """The engine of the model at work."""
        return self.speaker.engine

    @property
    def scheduler(self) -> Scheduler:
        """The scheduler of the model at work."""
        return self.speaker.scheduler

    @property
    def health(self) -> Health:
        """How the model at work is."""
        return self.speaker.health

    @property
    def model_name(self) -> str:
        """What clients call the model at work."""
        return self.speaker.name

    @property
    def model_digest(self) -> str:
        """What tells its files from those of every other model."""
        return self.speaker.digest

    def problem(self) -> str | None:
        """Say why the worker is unhealthy; starting and draining are healthy."""
        return self.health.problem() if self.loaded else None

    def not_ready(self) -> str | None:
        """Say why no new request should be sent here; None when one may."""
        return self.problem() if self.admission.state == "open" else self.admission.state

    async def start(self) -> None:
        """Load the model, speak with it and open the doors; raises ModelError."""
        await self.failover.start()
        self.metrics.watch_load(
            lambda: self.scheduler.waiting,
            lambda: self.admission.accepted,
            lambda: self.scheduler.backlog_seconds,
        )
        self._watching = asyncio.create_task(self.failover.watch())
        if self.admission.state == "starting":
            self.admission.state = "open"
        measured = self.speaker.measured
        log.info(
            "ready",
            extra={
                "model": self.model_name,
                "device": self.engine.device,
                "real_time_factor": measured.real_time_factor,
                "peak_memory_bytes": measured.peak_memory,
                "peak_gpu_memory_bytes": measured.peak_gpu_memory,
            },
        )

    def digest_of(self, name: str) -> str | None:
        """Return the digest of a model that this worker serves, or has for failover; None for any other name.

        Raises ModelError for one whose files are not there.
        """
        if name == self.model_name:
            return self.model_digest
        return next((model.digest() for model in _models(self.settings) if model.name == name), None)

    def knows_model(self, name: str) -> bool:
        """Whether a client may ask for this model: the one at work, or any other of the list of models."""
        return name == self.model_name or name in {model.name for model in _models(self.settings)}

    def utterances(self, request: SpeechRequest, *, param: str = "input") -> Sequence[Utterance]:
        """Return the sentences of a request; raises ApiError 400 for what cannot be spoken.

        A model that stands in for another does not know its voices: it speaks with its own.
        """
        text = check_text(request.input, self.settings.max_text_length, param=param)
        voices = self.engine.voices
        stranger = self.failover.standing_in and request.voice not in {voice.name for voice in voices}
        return utterances_of(
            text,
            voices,
            self.engine.languages,
            max_characters=self.engine.max_characters,
            voice=None if stranger else request.voice,
            language=None if stranger else request.language,
            speed=request.speed,
            param=param,
        )

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
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._loader.stop()
        loader_ended = await asyncio.to_thread(self._loader.join, 1.0)
        await self.cache.close()
        if not (await self.failover.close() and loader_ended):
            return False
        self.gpu.close()
        return True

    async def _load(self, options: ModelOptions) -> LoadedModel:
        threads = self.settings.threads or cpu_limit()
        loaded = await self._loader.run(functools.partial(load, options, threads, self._make_engine))
        speaker = LoadedModel(
            loaded,
            options,
            self.settings,
            metrics=self.metrics,
            gpu=self.gpu,
            spoken=self.cache.put,
            note=self.failover.note,
        )
        await speaker.start()
        return speaker

    def _open_cache(self) -> AudioCache:
        settings = self.settings
        try:
            return open_cache(
                redis_url=settings.redis_url,
                ttl_seconds=settings.cache_ttl_seconds,
                memory_bytes=settings.cache_memory_bytes,
                observer=self.metrics,
            )
        except InvalidRedisUrl as error:
            raise InvalidSettings(str(error)) from error

    def _publish(self, speaker: LoadedModel) -> None:
        measured = speaker.measured
        self.metrics.set_warm_up(
            real_time_factor=measured.real_time_factor,
            first_audio_seconds=measured.first_audio_seconds,
            peak_memory=measured.peak_memory,
            peak_gpu_memory=measured.peak_gpu_memory,
        )
        languages = {voice.name: voice.language for voice in speaker.engine.voices}
        self.metrics.set_model(speaker.name, languages, lambda: self.not_ready() is None)
        self.loaded = True


def _models(settings: Settings) -> list[ModelOptions]:
    first = ModelOptions(settings.engine, settings.model_dir, settings.model_name, settings.precision)
    return [first, *(ModelOptions(each.engine, each.model_dir, each.model_name) for each in settings.fallbacks)]
