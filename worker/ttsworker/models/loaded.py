"""A loaded model: its engine in memory, the scheduler in front of it, and its health."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ttscontract.engines import Precision
from ttscontract.worker_config import Manager
from ttsworker.audio import Pcm
from ttsworker.cache import cache_key
from ttsworker.clock import Clock
from ttsworker.engines import Engine, EngineOptions, ModelInvalid, Utterance, find_engine
from ttsworker.models.health import Health
from ttsworker.models.store import digest_at, verify_model
from ttsworker.models.warmup import NotAudible, WarmUp, warm_up
from ttsworker.observe.gpu import GpuFigures
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling.admission import Load
from ttsworker.scheduling.dispatcher import Scheduler
from ttsworker.scheduling.stream import Sentence
from ttsworker.scheduling.throughput import Throughput
from ttsworker.settings import Settings

EMBEDDED = "embedded"
"""The digest of a model that is part of its engine."""


log = logging.getLogger(__name__)

EngineFactory = Callable[[EngineOptions], Engine]


@dataclass(frozen=True)
class ModelOptions:
    """One model of the list of models: the engine that speaks it, its folder, and the name that clients use."""

    engine: str
    model_dir: Path | None = None
    name: str | None = None
    precision: Precision = Precision.AUTO
    managed_by: Manager = Manager.USER

    def digest(self) -> str:
        """Return the digest of the model's files, without verifying them; raises ModelError where there are none.

        Reads every file where the folder has no manifest, so call it in a thread.
        """
        return digest_at(self.model_dir, self.managed_by) if self.model_dir else EMBEDDED


@dataclass(frozen=True)
class LoadedEngine:
    """An engine whose model is loaded, and what its warm-up measured."""

    engine: Engine
    digest: str
    measured: WarmUp


def load(options: ModelOptions, threads: int, make_engine: EngineFactory | None = None) -> LoadedEngine:
    """Verify, load and warm up a model: takes seconds to minutes, so call it in a thread. Raises ModelError."""
    digest = verify_model(options.model_dir, options.managed_by).digest if options.model_dir else EMBEDDED
    make = make_engine or find_engine(options.engine)
    log.info("loading", extra={"engine": options.engine, "model_dir": options.model_dir, "threads": threads})
    engine = make(EngineOptions(options.model_dir, threads, options.precision))
    engine.load()
    try:
        return LoadedEngine(engine, digest, warm_up(engine))
    except NotAudible as error:
        engine.close()
        raise ModelInvalid(f"the model cannot speak: {error}") from error


class LoadedModel:
    """Speaks requests with one model; `on_outcome` is called with it and with how each synthesis or check ended.

    `on_synthesized` gets the cache key and the audio of every complete sentence but the test sentence.
    `close` waits `exit_timeout` seconds for the engine's last call. Made in the event loop, where its scheduler starts.
    """

    def __init__(
        self,
        loaded: LoadedEngine,
        options: ModelOptions,
        settings: Settings,
        *,
        metrics: Metrics,
        clock: Clock,
        exit_timeout: float,
        read_gpu: Callable[[], GpuFigures | None],
        on_synthesized: Callable[[str, Pcm], None],
        on_outcome: Callable[["LoadedModel", bool], None],
    ) -> None:
        self.engine = loaded.engine
        self.measured = loaded.measured
        self.name = options.name or loaded.engine.model_name
        self.digest = loaded.digest
        self._identity = f"{options.engine} {loaded.engine.revision}"
        self._timeout = settings.request_timeout_seconds
        self._clock = clock
        self._exit_timeout = exit_timeout
        self._on_synthesized = on_synthesized
        self._on_outcome = on_outcome
        self._throughput = Throughput(loaded.measured.real_time_factor)
        self.scheduler = Scheduler(
            self.engine,
            metrics,
            max_concurrency=settings.max_concurrency,
            max_batch_size=settings.max_batch_size,
            throughput=self._throughput,
            clock=clock.monotonic,
            sleep=clock.sleep,
            on_synthesized=self._sentence_complete,
        )
        self.health = Health(
            self.engine,
            self.scheduler,
            bounds=loaded.measured.bounds,
            interval=settings.health_interval_seconds,
            timeout=self._timeout,
            clock=clock,
            read_gpu=read_gpu,
            on_checked=self.report_outcome,
        )
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Check that it speaks, and go on checking."""
        await self.health.check()
        self._watching = asyncio.create_task(self.health.watch())

    def report_outcome(self, ok: bool) -> None:  # noqa: FBT001 - the form of Health's callback
        """Pass on whether a request or a check got its audio."""
        self._on_outcome(self, ok)

    def key(self, utterance: Utterance) -> str:
        """Return the cache key of a sentence."""
        return cache_key(utterance, engine=self._identity, model_digest=self.digest)

    def load(self, client: str = "") -> Load:
        """Return the work that counts against a client's new request."""
        backlog = self._throughput.work_seconds(self.scheduler.backlog_seconds, self.engine.parallelism)
        return Load(*self.scheduler.waiting_for(client), backlog)

    def audio_seconds(self, sentences: Sequence[Sentence]) -> float:
        """Estimate the audio to be synthesized for a request: that of the sentences that are not cached."""
        return self._throughput.audio_seconds(sum(each.estimated_seconds for each in sentences if each.audio is None))

    async def retire(self) -> None:
        """Finish the requests that are under way, at most for the time of one, and free the memory."""
        with suppress(TimeoutError):
            async with self._clock.timeout(self._timeout):
                await self.scheduler.idle()
        await self.close()

    async def close(self) -> bool:
        """Stop all tasks and threads; false when the engine does not return from a call."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if not await self.scheduler.close(self._exit_timeout):
            return False
        self.engine.close()
        return True

    def _sentence_complete(self, utterance: Utterance, audio: Pcm) -> None:
        if utterance != self.engine.probe:
            self._on_synthesized(self.key(utterance), audio)
