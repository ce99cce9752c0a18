"""The rate limit: the generic cell rate algorithm (GCRA), pure, in whole microseconds.

A client's whole state is one number, the time at which its burst is available again (the *theoretical arrival time*).
Each accepted request moves it by the interval between two requests. The limit refuses a request that would move it
further than a burst ahead of now. Whole numbers make a burst exact.
"""

import math
from dataclasses import dataclass

SECOND = 1_000_000
"""In microseconds, the unit of this module."""


@dataclass(frozen=True)
class Limit:
    """Average requests a second, and requests at once."""

    per_second: float
    burst: int

    @property
    def interval(self) -> int:
        """Microseconds between two requests in the long run."""
        return round(SECOND / self.per_second)

    @property
    def span(self) -> int:
        """Microseconds in which a client that used its whole burst gets it back."""
        return self.interval * self.burst


def arrive(free_at: int, now: int, limit: Limit) -> tuple[int, int]:
    """Accept one request if the limit allows it; return the new state and the microseconds to wait, 0 if accepted.

    `free_at` is the client's state, 0 for a new client. A state further ahead than this limit allows comes from another
    limit or is garbage; it counts as a burst that was just used up.
    """
    free_at = min(max(free_at, now), now + limit.span)
    moved = free_at + limit.interval
    wait = max(0, moved - limit.span - now)
    return (free_at, wait) if wait else (moved, 0)


def whole_seconds(wait: int) -> int:
    """Return `wait` in seconds, rounded up, at least one."""
    return max(1, math.ceil(wait / SECOND))
