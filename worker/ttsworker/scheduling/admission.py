"""Admission: bounds the accepted requests and their audio; accepts none before the worker is ready or in its drain."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["starting", "open", "draining"]
Refusal = Literal["starting", "draining", "queue_full", "memory_full"]

MAX_RETRY_AFTER = 60
"""Seconds; a client that had to wait longer would rather give up."""


class NotAdmitted(Exception):
    """The worker does not accept the request now; the client may try again after some seconds."""

    def __init__(self, code: Refusal, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Load:
    """The work that is ahead of a new request; seconds are estimates."""

    waiting: int
    """Requests that wait to be among those that are synthesized."""
    waiting_audio_seconds: float
    """Their audio."""
    work_seconds: float
    """Time the engine needs for everything that is not synthesized yet, of every request."""


class Admission:
    """Counts the accepted requests and refuses those that are too many; calls `on_refused` with the code."""

    def __init__(
        self,
        *,
        max_concurrency: int,
        max_queue_length: int,
        max_queue_audio_seconds: float,
        on_refused: Callable[[Refusal], None],
    ) -> None:
        self.state: State = "starting"
        self.accepted = 0
        self._cached = 0
        self._max_accepted = max_concurrency + max_queue_length
        self._max_waiting = max_queue_length
        self._max_audio_seconds = max_queue_audio_seconds
        self._changed = asyncio.Event()
        self._on_refused = on_refused

    def check_open(self) -> None:
        """Raise NotAdmitted while the worker is not open."""
        if self.state == "starting":
            raise self._refuse("starting", "the model is still being loaded: try again later", 2)
        if self.state == "draining":
            raise self._refuse("draining", "this worker is shutting down: try again, another one will answer", 1)

    def enter(self, load: Load, audio_seconds: float) -> "Ticket":
        """Accept a request for so much audio; raises NotAdmitted.

        The first request to wait is accepted however long its text is. A request whose audio is all cached (0 seconds)
        waits for nothing, and does not count against the others: it has a bound of its own, which is as high.
        """
        self.check_open()
        cached = audio_seconds == 0
        if cached:
            self._check_room_for_cached()
        else:
            self._check_room(load, audio_seconds)
        self.accepted += 1
        self._cached += cached
        return Ticket(self, cached=cached)

    def leave(self, *, cached: bool) -> None:
        """Count an accepted request as answered."""
        self.accepted -= 1
        self._cached -= cached
        self._changed.set()

    async def empty(self) -> None:
        """Wait until every accepted request has its answer."""
        while self.accepted:
            self._changed.clear()
            await self._changed.wait()

    def _check_room_for_cached(self) -> None:
        if self._cached >= self._max_accepted:
            message = f"{self._cached} requests are being answered from the cache, and no more may be: try again in 1 s"
            raise self._refuse("queue_full", message, 1)

    def _check_room(self, load: Load, audio_seconds: float) -> None:
        again = retry_after(load.work_seconds)
        spoken = self.accepted - self._cached
        if spoken >= self._max_accepted or (load.waiting and load.waiting >= self._max_waiting):
            message = f"{spoken} requests are being answered, and no more can wait: try again in {again} s"
            raise self._refuse("queue_full", message, again)
        if load.waiting and load.waiting_audio_seconds + audio_seconds > self._max_audio_seconds:
            waits = f"about {load.waiting_audio_seconds:.0f} s of audio wait"
            message = f"{waits}, and at most {self._max_audio_seconds:g} s may: try again in {again} s"
            raise self._refuse("queue_full", message, again)

    def _refuse(self, code: Refusal, message: str, seconds: int) -> NotAdmitted:
        self._on_refused(code)
        return NotAdmitted(code, message, seconds)


def retry_after(work_seconds: float) -> int:
    """Return the seconds after which to try again: about half of the work is done then, so that there is room."""
    return min(MAX_RETRY_AFTER, max(1, math.ceil(work_seconds / 2)))


class Ticket:
    """The place of one accepted request; give it back once the request has its answer."""

    def __init__(self, admission: Admission, *, cached: bool) -> None:
        self._admission: Admission | None = admission
        self._cached = cached

    def give_back(self) -> None:
        """Make room for another request; a second call does nothing."""
        if self._admission:
            self._admission.leave(cached=self._cached)
            self._admission = None
