"""Who may come in: a bounded number of requests, and none before the worker is ready or while it shuts down."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Literal

from ttsworker.errors import ApiError

State = Literal["starting", "open", "draining"]

MAX_RETRY_AFTER = 60
"""Seconds; a client that is told more would rather go away."""

_SMOOTHING = 0.2


class Admission:
    """Counts the accepted requests and refuses what would be too many; `refused` is told why."""

    def __init__(self, *, max_concurrency: int, max_queue_length: int, refused: Callable[[str], None]) -> None:
        self.state: State = "starting"
        self.accepted = 0
        self._max_accepted = max_concurrency + max_queue_length
        self._max_waiting = max_queue_length
        self._max_concurrency = max_concurrency
        self._seconds_each = 1.0  # how long a request takes, smoothed
        self._changed = asyncio.Event()
        self._refused = refused

    def check_open(self) -> None:
        """Raise ApiError 503 with Retry-After while the worker is not open."""
        if self.state == "starting":
            raise self._refuse(503, "starting", "the model is still being loaded: try again later", 2)
        if self.state == "draining":
            raise self._refuse(503, "draining", "this worker is shutting down: try again, another one will answer", 1)

    def enter(self, waiting: int) -> "Ticket":
        """Accept one more request while `waiting` others wait; raises ApiError 429 or 503 with Retry-After."""
        self.check_open()
        if self.accepted >= self._max_accepted or (waiting > 0 and waiting >= self._max_waiting):
            message = f"{self.accepted} requests are being answered, and no more can wait: try again later"
            raise self._refuse(429, "queue_full", message, self.retry_after())
        self.accepted += 1
        return Ticket(self)

    def retry_after(self) -> int:
        """Seconds in which about half of those accepted will have been answered."""
        expected = self._seconds_each * self.accepted / self._max_concurrency / 2
        return min(MAX_RETRY_AFTER, max(1, math.ceil(expected)))

    def leave(self, seconds: float) -> None:
        """Note that an accepted request has been answered after so many seconds."""
        self.accepted -= 1
        self._seconds_each += _SMOOTHING * (seconds - self._seconds_each)
        self._changed.set()

    async def empty(self) -> None:
        """Wait until every accepted request has been answered."""
        while self.accepted:
            self._changed.clear()
            await self._changed.wait()

    def _refuse(self, status: int, code: str, message: str, seconds: int) -> ApiError:
        self._refused(code)
        return ApiError(status, code, message, headers={"Retry-After": str(seconds)})


class Ticket:
    """The place of one accepted request; give it back once the request is answered."""

    def __init__(self, admission: Admission) -> None:
        self._admission: Admission | None = admission
        self._entered = time.monotonic()

    def give_back(self) -> None:
        """Make room for another request; a second time without effect."""
        if self._admission:
            self._admission.leave(time.monotonic() - self._entered)
            self._admission = None
