"""A model at work: its engine in memory, the scheduler in front of it, and how it is."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ttscontract.worker_config import Precision
from ttsworker.audio import Pcm
from ttsworker.cache import cache_key
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, find_engine
from ttsworker.models.health import Health
from ttsworker.models.store import read_manifest, verify_model
from ttsworker.models.warmup import NotAudible, WarmUp, warm_up
from ttsworker.observe.gpu import GpuMonitor
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling import Scheduler, Sentence, Stream
from ttsworker.scheduling.admission import Load
from ttsworker.scheduling.throughput import Pace
from ttsworker.settings import Settings

EMBEDDED = "embedded"
"""Stands for the digest of a model that is part of its engine."""

log = logging.getLogger(__name__)

EngineFactory = Callable[[EngineOptions], Engine]


@dataclass(frozen=True)
class ModelOptions:
    """One model of the list of models: what speaks it, where it is, and what clients call it."""

    engine: str
    model_dir: Path | None = None
    name: str | None = None
    precision: Precision = Precision.AUTO

    def digest(self) -> str:
        """Read what tells its files from those of every other model; raises ModelError where there are none."""
        return read_manifest(self.model_dir).digest if self.model_dir else EMBEDDED


@dataclass(frozen=True)
class Loaded:
    """A model that has been loaded, has warmed up and was heard."""

    engine: Engine
    digest: str
    measured: WarmUp


def load(options: ModelOptions, threads: int, make_engine: EngineFactory | None = None) -> Loaded:
    """Verify, load and warm up a model: seconds to minutes, for a thread of its own. Raises ModelError."""
    digest = verify_model(options.model_dir).digest if options.model_dir else EMBEDDED
    make = make_engine or find_engine(options.engine)
    log.info("loading", extra={"engine": options.engine, "model_dir": options.model_dir, "threads": threads})
    engine = make(EngineOptions(options.model_dir, threads, options.precision))
    engine.load()
    try:
        return Loaded(engine, digest, warm_up(engine))
    except NotAudible as error:
        engine.close()
        raise ModelInvalid(f"the model cannot speak: {error}") from error


class LoadedModel:
    """Speaks requests with one model; `note` is told how syntheses end, the health checks' among them.

    Made in the event loop, as its scheduler starts at once.
    """

    def __init__(
        self,
        loaded: Loaded,
        options: ModelOptions,
        settings: Settings,
        *,
        metrics: Metrics,
        gpu: GpuMonitor,
        spoken: Callable[[str, Pcm], None],
        note: Callable[["LoadedModel", bool], None],
    ) -> None:
        self.engine = loaded.engine
        self.measured = loaded.measured
        self.name = options.name or loaded.engine.model_name
        self._identity = f"{options.engine} {loaded.engine.revision}"
        self.digest = loaded.digest
        self._spoken = spoken
        self._note = note
        self._patience = settings.request_timeout_seconds
        self._pace = Pace(loaded.measured.real_time_factor)
        self.scheduler = Scheduler(
            self.engine,
            metrics,
            max_concurrency=settings.max_concurrency,
            max_batch_size=settings.max_batch_size,
            pace=self._pace,
            spoken=self._remember,
        )
        self.health = Health(
            self.engine,
            self.scheduler,
            gpu,
            bounds=loaded.measured.bounds,
            interval=settings.health_interval_seconds,
            patience=self._patience,
            told=lambda healthy: self.note(ok=healthy),
        )
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Check that it speaks, and go on checking."""
        await self.health.check()
        self._watching = asyncio.create_task(self.health.watch())

    def note(self, *, ok: bool) -> None:
        """Take in how a request ended."""
        self._note(self, ok)

    def key(self, utterance: Utterance) -> str:
        """Return the cache's key of a sentence."""
        return cache_key(utterance, engine=self._identity, model_digest=self.digest)

    def load(self) -> Load:
        """Return what is before a new request."""
        backlog = self._pace.work_seconds(self.scheduler.backlog_seconds, self.engine.parallelism)
        return Load(self.scheduler.waiting, self.scheduler.waiting_seconds, backlog)

    def audio_seconds(self, sentences: Sequence[Sentence]) -> float:
        """Estimate the audio that has to be spoken for a request: of the sentences that are not known."""
        unknown = [len(each.utterance.text) for each in sentences if each.audio is None]
        return self._pace.audio_seconds(sum(unknown))

    def speak(self, sentences: Sequence[Sentence]) -> Stream:
        """Begin a request."""
        return self.scheduler.submit(sentences)

    async def retire(self) -> None:
        """Finish what was begun, and give the memory back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self.scheduler.idle()
        await self.close()

    async def close(self) -> bool:
        """Stop all tasks and threads; false when the engine does not come back."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if not await self.scheduler.close(patience=1.0):
            return False
        self.engine.close()
        return True

    def _remember(self, utterance: Utterance, audio: Pcm) -> None:
        if utterance != self.engine.probe:
            self._spoken(self.key(utterance), audio)
