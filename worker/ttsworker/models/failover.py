"""Failover over an ordered list of models: the first one that works is active.

When the active model keeps failing, or could not be loaded, a fallback becomes active. Recovery, the return to a model
further up the list, is tried with exponential back-off: that model is loaded beside the active one and replaces it
once it has passed its checks. While both are in memory there must be room for both; where there is not, loading fails
and the active model stays.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ttsworker.clock import Clock
from ttsworker.engines import ModelError
from ttsworker.models.loaded import LoadedModel, ModelOptions

FAILURES = 3
"""Syntheses that fail one after another before a fallback is loaded."""

RETRY_SECONDS = (5.0, 300.0)
"""The first and the longest pause before a recovery; after the longest pause without a failure they start again."""

log = logging.getLogger(__name__)

Load = Callable[[ModelOptions], Awaitable[LoadedModel]]


class Failover:
    """Keeps one model active. `on_activated` is called each time another model becomes active."""

    def __init__(
        self,
        models: Sequence[ModelOptions],
        load: Load,
        *,
        clock: Clock,
        on_activated: Callable[[LoadedModel], None],
    ) -> None:
        self._models = models
        self._load = load
        self._clock = clock
        self._on_activated = on_activated
        self._first_retry, self._last_retry = RETRY_SECONDS
        self.retry_seconds = self._first_retry
        self._active: LoadedModel | None = None
        self._index = 0
        self._failures = 0
        self._keeps_failing = asyncio.Event()
        self._failover_ended = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def loaded(self) -> bool:
        """Whether there is an active model: from the end of `start` on."""
        return self._active is not None

    @property
    def active(self) -> LoadedModel:
        """The model that speaks; ask only once one is `loaded`."""
        assert self._active  # noqa: S101 - nobody asks before
        return self._active

    @property
    def on_fallback(self) -> bool:
        """Whether the active model is not the first choice."""
        return self._index > 0

    def problem(self) -> str | None:
        """Say in one line why the active model is unhealthy; None while it is healthy or none is loaded yet."""
        return self._active.health.problem() if self._active else None

    def knows(self, name: str) -> bool:
        """Whether a client may ask for this model: the active one, or any other of the list."""
        return name == self.active.name or any(name == model.name for model in self._models)

    def digest_of(self, name: str) -> str | None:
        """Return the digest of the active model or of another one of the list; None for any other name.

        Raises ModelError for one whose files are not there. May read them, so call it in a thread.
        """
        if name == self.active.name:
            return self.active.digest
        return next((model.digest() for model in self._models if model.name == name), None)

    async def start(self) -> None:
        """Activate the first model that can be loaded; where none can, raises what the first of them raised."""
        failures: list[Exception] = []
        for index in range(len(self._models)):
            try:
                await self._activate(index)
            except Exception as error:
                if len(self._models) == 1:
                    raise
                failures.append(error)
                _log_unusable(self._models[index], error)
            else:
                return
        raise failures[0]

    def record_outcome(self, model: LoadedModel, ok: bool) -> None:  # noqa: FBT001 - the form of LoadedModel's callback
        """Count how a synthesis ended."""
        if model is self._active:
            self._failures = 0 if ok else self._failures + 1
            if self._failures >= FAILURES and len(self._models) > 1:
                self._keeps_failing.set()

    async def wait_until_replaced(self, model: LoadedModel) -> bool:
        """Wait while another model is being loaded for this one; false when this one stays active."""
        while model is self._active and self._keeps_failing.is_set():
            self._failover_ended.clear()
            await self._failover_ended.wait()
        return model is not self._active

    async def watch(self) -> None:
        """Fail over and recover, for ever."""
        while len(self._models) > 1:
            try:
                async with self._clock.timeout(self.retry_seconds if self.on_fallback else self._last_retry):
                    await self._keeps_failing.wait()
            except TimeoutError:
                if self.on_fallback:
                    await self._recover()
                else:
                    self.retry_seconds = self._first_retry
            else:
                await self._fail_over()

    async def close(self) -> bool:
        """End the active model and those it replaced; false when an engine does not return from a call."""
        await asyncio.gather(*self._retiring, return_exceptions=True)
        return self._active is None or await self._active.close()

    async def _fail_over(self) -> None:
        """Activate the next model that can be loaded: those further down the list first, then those before it."""
        others = [index for index in range(len(self._models)) if index != self._index]
        log.warning("the model keeps failing", extra={"model": self.active.name})
        if not await self._activate_first(sorted(others, key=lambda index: (index < self._index, index))):
            await self._clock.sleep(self.retry_seconds)
            self._back_off()
        self._failures = 0
        self._keeps_failing.clear()
        self._failover_ended.set()

    async def _recover(self) -> None:
        await self._activate_first(range(self._index))
        self._back_off()

    def _back_off(self) -> None:
        self.retry_seconds = min(self._last_retry, 2 * self.retry_seconds)

    async def _activate_first(self, indices: Sequence[int]) -> bool:
        """Activate the first of these models that can be loaded; false when none can."""
        for index in indices:
            try:
                await self._activate(index)
            except Exception as error:  # noqa: BLE001 - a defect of that model must not stop the active one
                _log_unusable(self._models[index], error)
            else:
                return True
        return False

    async def _activate(self, index: int) -> None:
        model = await self._load(self._models[index])
        former, self._active = self._active, model
        self._index = index
        self._failures = 0
        self._failover_ended.set()
        self._on_activated(model)
        if former:
            log.warning("another model is active", extra={"model": model.name, "before": former.name})
            retiring = asyncio.create_task(former.retire())
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)


def _log_unusable(model: ModelOptions, error: Exception) -> None:
    reason = getattr(error, "reason", type(error).__name__)
    known = isinstance(error, ModelError)
    extra = {"engine": model.engine, "model_dir": model.model_dir, "reason": reason, "problem": str(error)}
    log.error("the model cannot be used", extra=extra, exc_info=None if known else error)
