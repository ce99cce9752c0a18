"""What each client may have of the engine and of the places. Pure, as the policy that asks it.

The engine is shared by start-time fair queueing: each client has a counter of its work, and the client with the lowest
one goes first. A client that comes is put beside the lowest: so nobody saves up turns while away, and newcomers do not
go before all others.
"""

from collections import Counter

LEFT_FREE = 0.25
"""A client leaves so much of what it has free for others, of anything that they share."""


def leaves_room(size: float, *, own: float, free: float) -> bool:
    """Whether a client that has `own` may take `size` of what is free.

    So one client may have four fifths, the next one four fifths of the rest, and who has nothing yet finds a place.
    """
    return size <= free - LEFT_FREE * own


class Shares:
    """The counters, in the caller's unit of work. A client is forgotten once its counter no longer matters."""

    def __init__(self) -> None:
        self._work: dict[str, float] = {}
        self._open: Counter[str] = Counter()
        self._fair = 0.0
        """The counter of an imagined client that always had its equal share."""

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._work)

    def enter(self, client: str) -> None:
        """Note one more request of a client."""
        if client not in self._open:
            least = min((self._work[other] for other in self._open), default=0.0)
            self._work[client] = max(self._work.get(client, 0.0), self._fair, least)
        self._open[client] += 1

    def leave(self, client: str) -> None:
        """Note that a request of a client has ended."""
        self._open[client] -= 1
        if self._open[client]:
            return
        del self._open[client]
        self._work = {each: work for each, work in self._work.items() if each in self._open or work > self._fair}
        if not self._open:
            self._work.clear()
            self._fair = 0.0

    def add(self, client: str, work: float) -> None:
        """Count work that is done for a client now."""
        self._work[client] = max(self._work[client], self._fair) + work
        self._fair += work / len(self._open)

    def work(self, client: str) -> float:
        """Return the counter of a client that has a request: who has the lowest is next."""
        return self._work[client]

    def is_next(self, client: str) -> bool:
        """Whether no other client, known or to come, has a lower counter."""
        return self._work[client] <= min(self._work[other] for other in self._open)
