"""Admission: bounds the accepted requests and their audio; accepts none before the worker is ready or in its drain."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ttsworker.scheduling.fairness import leaves_room

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
    """The work that counts against a new request; seconds are estimates."""

    waiting: int
    """Requests that wait to be among those that are synthesized."""
    waiting_audio_seconds: float
    """Their audio."""
    work_seconds: float
    """Time the engine needs for everything that is not synthesized yet, of every request."""


class Admission:
    """Counts the accepted requests and refuses those that are too many; calls `on_refused` with the code.

    A client has a name where clients are told apart; it leaves places free for others.
    """

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
        self._places: Counter[tuple[str, bool]] = Counter()
        """Accepted requests of each client that has a name, cached or not."""
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

    def enter(self, load: Load, audio_seconds: float, client: str = "") -> "Ticket":
        """Accept a client's request for so much audio; raises NotAdmitted.

        The first request to wait is accepted however long its text is. A request whose audio is all cached (0 seconds)
        waits for nothing, and does not count against the others: it has a bound of its own, which is as high.
        """
        self.check_open()
        cached = audio_seconds == 0
        if cached:
            self._check_room_for_cached(client)
        else:
            self._check_room(load, audio_seconds, client)
        self.accepted += 1
        self._cached += cached
        if client:
            self._places[client, cached] += 1
        return Ticket(self, client, cached=cached)

    def leave(self, client: str, *, cached: bool) -> None:
        """Count an accepted request as answered."""
        self.accepted -= 1
        self._cached -= cached
        if client:
            self._places[client, cached] -= 1
            if not self._places[client, cached]:
                del self._places[client, cached]
        self._changed.set()

    async def empty(self) -> None:
        """Wait until every accepted request has its answer."""
        while self.accepted:
            self._changed.clear()
            await self._changed.wait()

    def _check_room_for_cached(self, client: str) -> None:
        if self._cached >= self._max_accepted:
            message = f"{self._cached} requests are being answered from the cache, and no more may be: try again in 1 s"
            raise self._refuse("queue_full", message, 1)
        self._check_share(client, self._cached, 1, cached=True)

    def _check_room(self, load: Load, audio_seconds: float, client: str) -> None:
        again = retry_after(load.work_seconds)
        spoken = self.accepted - self._cached
        if spoken >= self._max_accepted or (load.waiting and load.waiting >= self._max_waiting):
            message = f"{spoken} requests are being answered, and no more can wait: try again in {again} s"
            raise self._refuse("queue_full", message, again)
        self._check_share(client, spoken, again, cached=False)
        if load.waiting and load.waiting_audio_seconds + audio_seconds > self._max_audio_seconds:
            waits = f"about {load.waiting_audio_seconds:.0f} s of audio wait"
            message = f"{waits}, and at most {self._max_audio_seconds:g} s may: try again in {again} s"
            raise self._refuse("queue_full", message, again)

    def _check_share(self, client: str, taken: int, again: int, *, cached: bool) -> None:
        own = self._places[client, cached]
        if own and not leaves_room(1, own=own, free=self._max_accepted - taken):
            message = f"{own} of {taken} requests are this client's, and the last places are for others: try again in"
            raise self._refuse("queue_full", f"{message} {again} s", again)

    def _refuse(self, code: Refusal, message: str, seconds: int) -> NotAdmitted:
        self._on_refused(code)
        return NotAdmitted(code, message, seconds)


def retry_after(work_seconds: float) -> int:
    """Return the seconds after which to try again: about half of the work is done then, so that there is room."""
    return min(MAX_RETRY_AFTER, max(1, math.ceil(work_seconds / 2)))


class Ticket:
    """The place of one accepted request; give it back once the request has its answer."""

    def __init__(self, admission: Admission, client: str, *, cached: bool) -> None:
        self._admission: Admission | None = admission
        self._client = client
        self._cached = cached

    def give_back(self) -> None:
        """Make room for another request; a second call does nothing."""
        if self._admission:
            self._admission.leave(self._client, cached=self._cached)
            self._admission = None
