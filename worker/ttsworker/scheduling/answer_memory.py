"""Bounds the memory of all answers: the bytes that wait for clients to read them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ttsworker.scheduling.admission import NotAdmitted, Refusal
from ttsworker.scheduling.fairness import LEFT_FREE, leaves_room

RETRY_SECONDS = 5
"""When to try again: as long as the next answer needs to be read, which only its client knows."""


class AnswerTooLarge(Exception):
    """The answer needs more memory than one answer may have."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"the answer would have about {size // 1000} kB, and an answer may have {most // 1000} kB: "
            "send a shorter text, stream the answer, or choose a compressed format"
        )


class AnswerMemory:
    """Counts the bytes that answers hold or will hold, at most `max_bytes`; calls `on_refused` with the code."""

    def __init__(self, max_bytes: int, on_refused: Callable[[Refusal], None]) -> None:
        self.max_bytes = max_bytes
        self.largest = round(max_bytes / (1 + LEFT_FREE))
        self.held = 0
        self._on_refused = on_refused
        self._of_client: Counter[str] = Counter()
        """Bytes of each client that has a name; it leaves memory free for others."""

    @contextmanager
    def reserve(self, size: int, client: str = "") -> Iterator["Reservation"]:
        """Reserve an estimated number of bytes, until the end of the block; raises AnswerTooLarge and NotAdmitted."""
        reservation = Reservation(self, client)
        reservation.grow_to(size)
        try:
            yield reservation
        finally:
            reservation.shrink_to(0)

    def take(self, more: int, size: int, client: str) -> None:
        """Count `more` bytes for an answer that then has `size`; raises AnswerTooLarge and NotAdmitted."""
        if size > self.largest:
            raise AnswerTooLarge(size, self.largest)
        own = self._of_client[client] + more if client else 0
        if not leaves_room(more, own=own, free=self.max_bytes - self.held):
            self._on_refused("memory_full")
            waits = f"{self.held // 1000} kB of answers wait for their clients, and no more may"
            raise NotAdmitted("memory_full", f"{waits}: try again in {RETRY_SECONDS} s", RETRY_SECONDS)
        self._count(client, more)

    def free(self, size: int, client: str) -> None:
        """Count some bytes as freed."""
        self._count(client, -size)

    def _count(self, client: str, more: int) -> None:
        self.held += more
        if client:
            self._of_client[client] += more
            if not self._of_client[client]:
                del self._of_client[client]


class Reservation:
    """The bytes of one answer; it grows when the estimate was too low, and shrinks while its client reads."""

    def __init__(self, memory: AnswerMemory, client: str) -> None:
        self.size = 0
        self._memory = memory
        self._client = client

    def grow_to(self, size: int) -> None:
        """Reserve at least so many bytes; raises AnswerTooLarge and NotAdmitted."""
        if size > self.size:
            self._memory.take(size - self.size, size, self._client)
            self.size = size

    def shrink_to(self, size: int) -> None:
        """Free what is more than so many bytes."""
        if size < self.size:
            self._memory.free(self.size - size, self._client)
            self.size = size
