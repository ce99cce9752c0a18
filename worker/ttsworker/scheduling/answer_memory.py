"""Bounds the memory of all answers: the bytes that wait for clients to read them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ttsworker.scheduling.admission import NotAdmitted, Refusal

RETRY_SECONDS = 5
"""When to try again: as long as the next answer needs to be read, which only its client knows."""


class AnswerTooLarge(Exception):
    """The answer needs more memory than all answers together may have."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"the answer would have about {size // 1000} kB, and all answers together may have {most // 1000} kB: "
            "send a shorter text, stream the answer, or choose a compressed format"
        )


class AnswerMemory:
    """Counts the bytes that answers hold or will hold, at most `max_bytes`; calls `on_refused` with the code."""

    def __init__(self, max_bytes: int, on_refused: Callable[[Refusal], None]) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        self._on_refused = on_refused

    @contextmanager
    def reserve(self, size: int) -> Iterator["Reservation"]:
        """Reserve an estimated number of bytes, until the end of the block; raises AnswerTooLarge and NotAdmitted."""
        reservation = Reservation(self)
        reservation.grow_to(size)
        try:
            yield reservation
        finally:
            reservation.shrink_to(0)

    def take(self, more: int, size: int) -> None:
        """Count `more` bytes for an answer that then has `size`; raises AnswerTooLarge and NotAdmitted."""
        if size > self.max_bytes:
            raise AnswerTooLarge(size, self.max_bytes)
        if self.held + more > self.max_bytes:
            self._on_refused("memory_full")
            waits = f"{self.held // 1000} kB of answers wait for their clients, and no more may"
            raise NotAdmitted("memory_full", f"{waits}: try again in {RETRY_SECONDS} s", RETRY_SECONDS)
        self.held += more

    def free(self, size: int) -> None:
        """Count some bytes as freed."""
        self.held -= size


class Reservation:
    """The bytes of one answer; it grows when the estimate was too low, and shrinks while its client reads."""

    def __init__(self, memory: AnswerMemory) -> None:
        self.size = 0
        self._memory = memory

    def grow_to(self, size: int) -> None:
        """Reserve at least so many bytes; raises AnswerTooLarge and NotAdmitted."""
        if size > self.size:
            self._memory.take(size - self.size, size)
            self.size = size

    def shrink_to(self, size: int) -> None:
        """Free what is more than so many bytes."""
        if size < self.size:
            self._memory.free(self.size - size)
            self.size = size
