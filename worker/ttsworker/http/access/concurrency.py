"""The limit of a client's concurrent requests, counted in this worker."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ttsworker.http.errors import ApiError, retry_after

RETRY_SECONDS = 2
"""When to try again: nobody knows when the client's own requests end, and a short answer takes about as long."""


class Concurrency:
    """Counts the requests of each client, by the client's name, from their beginning to the end of their answers."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many clients have a request."""
        return len(self._running)

    @contextmanager
    def count(self, client: str, most: int) -> Iterator[None]:
        """Count a request until the end of the block; raises ApiError 429 when the client has `most` already."""
        if self._running[client] >= most:
            message = f"this client has {most} requests at once already: try again when one of them is answered"
            raise ApiError(429, "concurrency_limit_exceeded", message, headers=retry_after(RETRY_SECONDS))
        self._running[client] += 1
        try:
            yield
        finally:
            self._running[client] -= 1
            if not self._running[client]:
                del self._running[client]
