"""When to leave a failing server alone: a circuit breaker. Pure: clock and randomness come from the caller."""

from collections.abc import Callable
from dataclasses import dataclass

_MAX_DOUBLINGS = 30  # far beyond any longest delay, and far below what a float holds


@dataclass(frozen=True)
class BackOff:
    """Seconds from a failure to the next attempt: `first`, then twice as long after each, up to `longest`."""

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Return the delay after this many failures in a row, at least one."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, _MAX_DOUBLINGS))


class CircuitBreaker:
    """Closed: send commands. Open: send none until the next attempt is due; it closes the breaker or fails again.

    Closing keeps the count of failures; only `succeeded` resets it. So the delays keep growing for a server that
    answers attempts but fails everything after them.
    """

    def __init__(
        self,
        back_off: BackOff,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        is_open: bool = False,
    ) -> None:
        """`clock` returns seconds. `random` returns 0 to 1; it keeps workers from trying at the same moment."""
        self.is_open = is_open
        self._back_off = back_off
        self._clock = clock
        self._random = random
        self._failures = 0
        self._due = clock()

    def due_in(self) -> float:
        """Return the seconds until the next attempt, 0 when it is due."""
        return max(0.0, self._due - self._clock())

    def failed(self) -> None:
        """Open, or stay open for longer. Commands that fail before the next attempt is due count as one failure."""
        if self.is_open and self.due_in():
            return
        self._failures += 1
        self.is_open = True
        self._due = self._clock() + self._back_off.delay(self._failures) * (1 + self._random() / 4)

    def close(self) -> None:
        """Close after an attempt that succeeded."""
        self.is_open = False

    def succeeded(self) -> None:
        """Close, and forget the failures: the server does its work."""
        self.is_open = False
        self._failures = 0
