"""Whether the worker can speak: found out by speaking, remembered, and told at once whenever it is asked."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ttsworker.audio import FULL_SCALE, Audio, Pcm, to_pcm
from ttsworker.engines import Engine
from ttsworker.gpu import GpuFigures, GpuMonitor
from ttsworker.scheduler import Scheduler, Sentence

SILENCE = 1e-3
"""Root mean square below which audio counts as silent: -60 dB of full scale."""

SHORTEST_SECONDS = 0.1

log = logging.getLogger(__name__)


class NotAudible(Exception):
    """The test sentence became silence, noise without end or nothing at all."""


@dataclass(frozen=True)
class Check:
    """One test synthesis; `problem` is None when it was audible."""

    at: datetime
    latency_seconds: float
    audio_seconds: float
    problem: str | None


@dataclass(frozen=True)
class WarmUp:
    """What the first test synthesis showed; the real-time factor is seconds of work by second of audio."""

    real_time_factor: float
    first_audio_seconds: float


def judge(pieces: Iterable[Pcm], sample_rate: int) -> float:
    """Return the audio's seconds; raises NotAudible."""
    audio = np.concatenate([np.zeros(0, np.int16), *pieces])
    seconds = len(audio) / sample_rate
    if seconds < SHORTEST_SECONDS:
        raise NotAudible(f"the test sentence became {seconds:.2f} s of audio")
    level = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) / FULL_SCALE
    if level <= SILENCE:
        raise NotAudible(f"the test sentence became silence (level {level:.5f})")
    return seconds


def warm_up(engine: Engine) -> WarmUp:
    """Speak the test sentence twice, so that everything lazy is done, and measure the second; raises NotAudible."""
    judge(map(_finite_pcm, engine.synthesize([engine.probe])), engine.sample_rate)
    started = time.perf_counter()
    pieces = []
    first = 0.0
    for piece in engine.stream(engine.probe):
        first = first or time.perf_counter() - started
        pieces.append(_finite_pcm(piece))
    seconds = judge(pieces, engine.sample_rate)
    return WarmUp((time.perf_counter() - started) / seconds, first)


def _finite_pcm(piece: Audio) -> Pcm:
    if not np.isfinite(piece).all():
        raise NotAudible("the test sentence became samples that are not numbers")
    return to_pcm(piece)


class Health:
    """Speaks the test sentence every `interval` seconds, as one more request before the others.

    Unhealthy is: the last test failed, or a call of the engine has given nothing for `patience` seconds, be it the
    test's or a client's. A stuck engine is thus told after at most `interval + patience` seconds. `told` hears how each
    test ended.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        gpu: GpuMonitor,
        *,
        interval: float,
        patience: float,
        told: Callable[[bool], None],
    ) -> None:
        self._engine = engine
        self._scheduler = scheduler
        self._gpu = gpu
        self._interval = interval
        self._patience = patience
        self._told = told
        self.last: Check | None = None
        self.gpu_figures: GpuFigures | None = None

    def problem(self) -> str | None:
        """Say in one line why the worker is unhealthy; None while it is healthy."""
        stalled = self._scheduler.stalled_seconds()
        if stalled > self._patience:
            return f"the engine has given no audio for {stalled:.0f} s"
        return self.last.problem if self.last else None

    async def watch(self) -> None:
        """Check now and then, for ever."""
        while True:
            await asyncio.sleep(self._interval)
            await self.check()

    async def check(self) -> None:
        """Speak the test sentence and remember how it went."""
        self.gpu_figures = await asyncio.to_thread(self._gpu.read)
        started = time.perf_counter()
        stream = self._scheduler.submit([Sentence(self._engine.probe)], urgent=True)
        problem, seconds = None, 0.0
        try:
            async with asyncio.timeout(self._patience):
                seconds = judge([piece async for piece in stream], self._engine.sample_rate)
        except TimeoutError:
            problem = f"the test sentence was not spoken within {self._patience:.0f} s"
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is what the check is there to find
            problem = f"the test sentence failed: {error}"
        finally:
            stream.close()
        if problem:
            log.error("health check failed", extra={"problem": problem})
        self.last = Check(datetime.now(UTC), time.perf_counter() - started, seconds, problem)
        self._told(problem is None)
