"""An ordered list of models: the first that works speaks; one that fails to load or keeps failing is stood in for.

The way back is tried with exponential back-off, at most every five minutes: the better model is loaded beside the one
that speaks, and takes over when it has been heard. While both are in memory there must be room for both; where there is
not, loading fails and the one that speaks goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ttsworker.engines import ModelError
from ttsworker.models.loaded import LoadedModel, ModelOptions

FAILURES = 3
"""Syntheses that fail one after another before another model is tried."""

RETRY_SECONDS = (5.0, 300.0)
"""Pauses before the way back is tried, the first and the longest; who has worked for the longest starts anew."""

log = logging.getLogger(__name__)

Load = Callable[[ModelOptions], Awaitable[LoadedModel]]


class Failover:
    """Keeps one model at work. `changed` is told each time another one takes over."""

    def __init__(
        self,
        models: Sequence[ModelOptions],
        load: Load,
        changed: Callable[[LoadedModel], None],
        *,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
    ) -> None:
        self._models = models
        self._load = load
        self._changed = changed
        self._first_retry, self._last_retry = retry_seconds
        self.retry_seconds = self._first_retry
        self._speaker: LoadedModel | None = None
        self._place = 0
        self._failures = 0
        self._keeps_failing = asyncio.Event()
        self._moved = asyncio.Event()  # another speaks, or none could
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def speaker(self) -> LoadedModel:
        """The model at work; there is one once `start` has returned."""
        assert self._speaker  # noqa: S101 - nobody asks before
        return self._speaker

    @property
    def standing_in(self) -> bool:
        """Whether it is not the first choice."""
        return self._place > 0

    async def replaced(self, speaker: LoadedModel) -> bool:
        """Wait until another model speaks than this one; false when none is about to."""
        while speaker is self._speaker and self._keeps_failing.is_set():
            self._moved.clear()
            await self._moved.wait()
        return speaker is not self._speaker

    async def start(self) -> None:
        """Load the first model that can be loaded; raises what the first of them raised when none can."""
        failures: list[Exception] = []
        for place in range(len(self._models)):
            try:
                await self._take_over(place)
            except Exception as error:
                if len(self._models) == 1:
                    raise
                failures.append(error)
                _tell(self._models[place], error)
            else:
                return
        raise failures[0]

    def note(self, speaker: LoadedModel, ok: bool) -> None:  # noqa: FBT001 - the form of LoadedModel's callback
        """Take in how a synthesis ended."""
        if speaker is self._speaker:
            self._failures = 0 if ok else self._failures + 1
            if self._failures >= FAILURES and len(self._models) > 1:
                self._keeps_failing.set()

    async def watch(self) -> None:
        """Stand in and come back, for ever."""
        while len(self._models) > 1:
            try:
                async with asyncio.timeout(self.retry_seconds if self.standing_in else self._last_retry):
                    await self._keeps_failing.wait()
            except TimeoutError:
                if self.standing_in:
                    await self._come_back()
                else:
                    self.retry_seconds = self._first_retry
            else:
                await self._stand_in()

    async def close(self) -> bool:
        """End the model at work and those that were replaced; false when an engine does not come back."""
        await asyncio.gather(*self._retiring, return_exceptions=True)
        return self._speaker is None or await self._speaker.close()

    async def _stand_in(self) -> None:
        others = [place for place in range(len(self._models)) if place != self._place]
        log.warning("the model keeps failing", extra={"model": self.speaker.name})
        later_first = sorted(others, key=lambda place: (place < self._place, place))
        if not await self._first_of(later_first):
            await asyncio.sleep(self.retry_seconds)
            self._grow()
        self._failures = 0
        self._keeps_failing.clear()
        self._moved.set()

    async def _come_back(self) -> None:
        await self._first_of(range(self._place))
        self._grow()

    def _grow(self) -> None:
        self.retry_seconds = min(self._last_retry, 2 * self.retry_seconds)

    async def _first_of(self, places: Sequence[int]) -> bool:
        for place in places:
            try:
                await self._take_over(place)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with that model, this one goes on
                _tell(self._models[place], error)
            else:
                return True
        return False

    async def _take_over(self, place: int) -> None:
        speaker = await self._load(self._models[place])
        former, self._speaker = self._speaker, speaker
        self._place = place
        self._failures = 0
        self._moved.set()
        self._changed(speaker)
        if former:
            log.warning("another model speaks now", extra={"model": speaker.name, "before": former.name})
            retiring = asyncio.create_task(former.retire())
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)


def _tell(model: ModelOptions, error: Exception) -> None:
    reason = getattr(error, "reason", type(error).__name__)
    known = isinstance(error, ModelError)
    extra = {"engine": model.engine, "model_dir": model.model_dir, "reason": reason, "problem": str(error)}
    log.error("the model cannot be used", extra=extra, exc_info=None if known else error)
