"""Whether a model can speak: a periodic test synthesis checks it, and `problem` returns its result without waiting."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ttsworker.clock import Clock
from ttsworker.engines import Engine
from ttsworker.models.warmup import Bounds, judge
from ttsworker.observe.gpu import GpuFigures
from ttsworker.scheduling.dispatcher import Scheduler
from ttsworker.scheduling.stream import Sentence

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """One test synthesis; `problem` is None when it was audible and of the right length."""

    at: datetime
    latency_seconds: float
    audio_seconds: float
    problem: str | None


class Health:
    """Speaks the test sentence every `interval` seconds, as an urgent request before all others.

    A model is unhealthy in three cases: its last check failed; a call of the engine, the check's or a client's, has
    given no audio for `timeout` seconds; or the next check is overdue. So a stuck engine is reported after at most
    `interval + timeout` seconds. `on_checked` is called after every check with whether it passed.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        *,
        bounds: Bounds,
        interval: float,
        timeout: float,
        clock: Clock,
        read_gpu: Callable[[], GpuFigures | None],
        on_checked: Callable[[bool], None],
    ) -> None:
        self._engine = engine
        self._scheduler = scheduler
        self._bounds = bounds
        self._interval = interval
        self._timeout = timeout
        self._clock = clock
        self._read_gpu = read_gpu
        self._on_checked = on_checked
        self._probe = Sentence(engine.probe, estimated_seconds=engine.estimate_seconds(engine.probe))
        self._checked = clock.monotonic()
        self.last: Check | None = None
        self.gpu_figures: GpuFigures | None = None

    def problem(self) -> str | None:
        """Say in one line why the model is unhealthy; None while it is healthy."""
        stalled = self._scheduler.stalled_seconds()
        if stalled > self._timeout:
            return f"the engine has given no audio for {stalled:.0f} s"
        unchecked = self._clock.monotonic() - self._checked
        if unchecked > self._interval + 2 * self._timeout:  # once for the check itself, once as a margin
            return f"the test sentence has not been spoken for {unchecked:.0f} s"
        return self.last.problem if self.last else None

    async def watch(self) -> None:
        """Check at every interval, for ever."""
        while True:
            await self._clock.sleep(self._interval)
            await self.check()

    async def check(self) -> None:
        """Speak the test sentence and keep the result."""
        started = self._clock.monotonic()
        stream = self._scheduler.submit([self._probe], urgent=True)
        problem, seconds = None, 0.0
        try:
            async with self._clock.timeout(self._timeout):
                seconds = judge([piece async for piece in stream], self._engine.sample_rate, self._bounds)
        except TimeoutError:
            problem = f"the test sentence was not spoken within {self._timeout:.0f} s"
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is what the check is there to find
            problem = f"the test sentence failed: {error}"
        finally:
            stream.close()
        if problem:
            log.error("health check failed", extra={"problem": problem})
        self._checked = self._clock.monotonic()
        self.last = Check(self._clock.utc_now(), self._checked - started, seconds, problem)
        self._on_checked(problem is None)
        self.gpu_figures = await asyncio.to_thread(self._read_gpu)
