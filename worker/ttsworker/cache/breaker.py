"""When to leave a server alone: a circuit breaker. Pure: the clock and the chance are given."""

from collections.abc import Callable
from dataclasses import dataclass

_MAX_DOUBLINGS = 30  # far beyond any longest delay, and far below what a float holds


@dataclass(frozen=True)
class BackOff:
    """Seconds from a failure to the next attempt: `first`, then twice as long after each, up to `longest`."""

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Return the delay after so many failures in a row, of which there is at least one."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, _MAX_DOUBLINGS))


class Breaker:
    """Closed: the server is asked. Open: it is not, until an attempt that `due_in` allows has succeeded.

    The delays go on growing over an attempt that succeeds when what follows fails: only `succeeded` forgets.
    A server that answers attempts but nothing else is thus left alone as well.
    """

    def __init__(
        self,
        back_off: BackOff,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
        is_open: bool = False,
    ) -> None:
        """`clock` gives seconds; `chance` 0 to 1, so that many workers do not come back at the same moment."""
        self.is_open = is_open
        self._back_off = back_off
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._due = clock()

    def due_in(self) -> float:
        """Seconds until the next attempt; 0 when it may be made now."""
        return max(0.0, self._due - self._clock())

    def failed(self) -> None:
        """Open, or stay open for longer."""
        self._failures += 1
        self.is_open = True
        self._due = self._clock() + self._back_off.delay(self._failures) * (1 + self._chance() / 4)

    def close(self) -> None:
        """Close after an attempt that succeeded."""
        self.is_open = False

    def succeeded(self) -> None:
        """Forget the failures: the server does what it is there for."""
        self._failures = 0
