"""Who may come in: a bounded number of requests and of audio, and none before the worker is ready or at its end."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ttsworker.http.errors import ApiError

State = Literal["starting", "open", "draining"]

MAX_RETRY_AFTER = 60
"""Seconds; a client that is told more would rather go away."""


@dataclass(frozen=True)
class Load:
    """What is before a new request, as the scheduler tells it; seconds are estimates."""

    waiting: int
    """Requests that have no place among those that are spoken in turn."""
    waiting_audio_seconds: float
    """Audio they will become."""
    work_seconds: float
    """Time the engine needs for all that has not been spoken, of every request."""


class Admission:
    """Counts the accepted requests and refuses what would be too many; `refused` is told why."""

    def __init__(
        self,
        *,
        max_concurrency: int,
        max_queue_length: int,
        max_queue_audio_seconds: float,
        refused: Callable[[str], None],
    ) -> None:
        self.state: State = "starting"
        self.accepted = 0
        self._cached = 0
        self._max_accepted = max_concurrency + max_queue_length
        self._max_waiting = max_queue_length
        self._max_audio_seconds = max_queue_audio_seconds
        self._changed = asyncio.Event()
        self._refused = refused

    def check_open(self) -> None:
        """Raise ApiError 503 with Retry-After while the worker is not open."""
        if self.state == "starting":
            raise self._refuse(503, "starting", "the model is still being loaded: try again later", 2)
        if self.state == "draining":
            raise self._refuse(503, "draining", "this worker is shutting down: try again, another one will answer", 1)

    def enter(self, load: Load, audio_seconds: float) -> "Ticket":
        """Accept a request for so much audio; raises ApiError 429 or 503 with Retry-After.

        One that would be the first to wait is accepted however long its text is. One whose audio is all cached (0
        seconds) waits for nothing and takes no other's place: as many of them are accepted as of the others.
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
        """Note that an accepted request has been answered."""
        self.accepted -= 1
        self._cached -= cached
        self._changed.set()

    async def empty(self) -> None:
        """Wait until every accepted request has been answered."""
        while self.accepted:
            self._changed.clear()
            await self._changed.wait()

    def _check_room_for_cached(self) -> None:
        if self._cached >= self._max_accepted:
            message = f"{self._cached} requests are being answered from the cache, and no more may be: try again in 1 s"
            raise self._refuse(429, "queue_full", message, 1)

    def _check_room(self, load: Load, audio_seconds: float) -> None:
        again = retry_after(load.work_seconds)
        spoken = self.accepted - self._cached
        if spoken >= self._max_accepted or (load.waiting and load.waiting >= self._max_waiting):
            message = f"{spoken} requests are being answered, and no more can wait: try again in {again} s"
            raise self._refuse(429, "queue_full", message, again)
        if load.waiting and load.waiting_audio_seconds + audio_seconds > self._max_audio_seconds:
            waits = f"about {load.waiting_audio_seconds:.0f} s of audio wait"
            message = f"{waits}, and at most {self._max_audio_seconds:g} s may: try again in {again} s"
            raise self._refuse(429, "queue_full", message, again)

    def _refuse(self, status: int, code: str, message: str, seconds: int) -> ApiError:
        self._refused(code)
        return ApiError(status, code, message, headers={"Retry-After": str(seconds)})


def retry_after(work_seconds: float) -> int:
    """Seconds in which about half of the work will have been done: there will be room, and others ask again too."""
    return min(MAX_RETRY_AFTER, max(1, math.ceil(work_seconds / 2)))


class Ticket:
    """The place of one accepted request; give it back once the request is answered."""

    def __init__(self, admission: Admission, *, cached: bool) -> None:
        self._admission: Admission | None = admission
        self._cached = cached

    def give_back(self) -> None:
        """Make room for another request; a second time without effect."""
        if self._admission:
            self._admission.leave(cached=self._cached)
            self._admission = None
