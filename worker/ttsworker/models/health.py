"""Whether the worker can speak: found out by speaking, remembered, and told at once whenever it is asked."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ttsworker.engines import Engine
from ttsworker.models.warmup import Bounds, judge
from ttsworker.observe.gpu import GpuFigures, GpuMonitor
from ttsworker.scheduling import Scheduler, Sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One test synthesis; `problem` is None when it was audible and of the right length."""

    at: datetime
    latency_seconds: float
    audio_seconds: float
    problem: str | None


class Health:
    """Speaks the test sentence every `interval` seconds, as one more request before the others.

    Unhealthy is: the last test failed, or a call of the engine has given nothing for `patience` seconds, be it the
    test's or a client's, or the next test has not been done when it should have been. A stuck engine is thus told after
    at most `interval + patience` seconds. `told` hears how each test ended.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        gpu: GpuMonitor,
        *,
        bounds: Bounds,
        interval: float,
        patience: float,
        told: Callable[[bool], None],
    ) -> None:
        self._engine = engine
        self._scheduler = scheduler
        self._gpu = gpu
        self._bounds = bounds
        self._interval = interval
        self._patience = patience
        self._told = told
        self._checked = time.monotonic()
        self.last: Check | None = None
        self.gpu_figures: GpuFigures | None = None

    def problem(self) -> str | None:
        """Say in one line why the worker is unhealthy; None while it is healthy."""
        stalled = self._scheduler.stalled_seconds()
        if stalled > self._patience:
            return f"the engine has given no audio for {stalled:.0f} s"
        unchecked = time.monotonic() - self._checked
        if unchecked > self._interval + 2 * self._patience:  # the test's patience, and as much again
            return f"the test sentence has not been spoken for {unchecked:.0f} s"
        return self.last.problem if self.last else None

    async def watch(self) -> None:
        """Check now and then, for ever."""
        while True:
            await asyncio.sleep(self._interval)
            await self.check()

    async def check(self) -> None:
        """Speak the test sentence and remember how it went."""
        started = time.perf_counter()
        stream = self._scheduler.submit([Sentence(self._engine.probe)], urgent=True)
        problem, seconds = None, 0.0
        try:
            async with asyncio.timeout(self._patience):
                seconds = judge([piece async for piece in stream], self._engine.sample_rate, self._bounds)
        except TimeoutError:
            problem = f"the test sentence was not spoken within {self._patience:.0f} s"
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is what the check is there to find
            problem = f"the test sentence failed: {error}"
        finally:
            stream.close()
        if problem:
            log.error("health check failed", extra={"problem": problem})
        self.last = Check(datetime.now(UTC), time.perf_counter() - started, seconds, problem)
        self._checked = time.monotonic()
        self._told(problem is None)
        self.gpu_figures = await asyncio.to_thread(self._gpu.read)
