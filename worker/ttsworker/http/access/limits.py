"""How often a client may ask: the generic cell rate algorithm (GCRA), pure, on whole microseconds.

A client's whole state is one number, the time at which its burst will be available again (the *theoretical arrival
time*). Each accepted request moves it by the interval between two requests; one that would move it further than
a burst ahead of now is refused. Whole numbers make a burst exactly as long as it says.
"""

import math
from dataclasses import dataclass

SECOND = 1_000_000
"""In the units of this module, microseconds."""


@dataclass(frozen=True)
class Limit:
    """So many requests a second in the long run, and so many at once."""

    per_second: float
    burst: int

    @property
    def interval(self) -> int:
        """Microseconds between two requests in the long run."""
        return round(SECOND / self.per_second)

    @property
    def span(self) -> int:
        """Microseconds until a client that has used all of its burst has all of it again."""
        return self.interval * self.burst


def arrive(free_at: int, now: int, limit: Limit) -> tuple[int, int]:
    """Let one request in, if the limit allows it: return the new state and the microseconds to wait, 0 when it may.

    `free_at` is the client's state, 0 for a new one. A state further ahead than this limit can make it was made by
    another limit or is garbage; it counts as a burst just used up.
    """
    free_at = min(max(free_at, now), now + limit.span)
    moved = free_at + limit.interval
    wait = max(0, moved - limit.span - now)
    return (free_at, wait) if wait else (moved, 0)


def retry_after(wait: int) -> int:
    """Return the whole seconds after which a request that had to wait is let in."""
    return max(1, math.ceil(wait / SECOND))
