"""One line in the log for what happens often: an attacker must not fill the log."""

from collections.abc import Callable

LINE_SECONDS = 60.0
"""Least time between two lines."""


class Tally:
    """Counts events, and says when a line about them is due; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count = 0
        self._due = clock()

    def add(self, count: int = 1) -> int | None:
        """Count events; return how many there were since the last line where the next one is due, else None."""
        self._count += count
        if self._clock() < self._due:
            return None
        counted, self._count, self._due = self._count, 0, self._clock() + LINE_SECONDS
        return counted
