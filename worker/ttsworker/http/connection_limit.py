"""The bound on open connections, which uvicorn lacks."""

import logging
import math
import resource
from typing import Protocol

from ttsworker.clock import Clock
from ttsworker.observe.tally import Tally
from ttsworker.settings import Settings

SPARE_CONNECTIONS = 2048
"""Connections beside those of accepted requests: of idle clients, of probes, and of requests that are refused."""

GRACE_SECONDS = 1.0
"""Time for a connection's first request before it makes room: a flood must not replace those that came just before."""

log = logging.getLogger(__name__)


class Limited(Protocol):
    """A connection that counts."""

    def evict(self) -> None:
        """Close at once."""
        ...


class ConnectionLimit:
    """Counts connections. When there are enough, a new one takes the place of the one that has been idle longest.

    A connection is idle while it waits for its client: for a handshake, a request or the rest of one. So a client that
    holds connections keeps nobody out, least of all the kubelet's probes. A busy connection, whose request is being
    answered, is never closed: admission bounds their number. While there is no room, new ones wait to be accepted.
    """

    def __init__(self, most: int, port: str, clock: Clock) -> None:
        self._most = most
        self._port = port
        self._clock = clock
        self._idle: dict[Limited, float] = {}
        """When each may make room; the one that has been idle longest comes first."""
        self._busy: set[Limited] = set()
        self._floods = Tally(clock.monotonic)

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._idle) + len(self._busy)

    def has_room(self) -> bool:
        """Return whether a new connection may come now."""
        if len(self) < self._most:
            return True
        if self._clock.monotonic() >= next(iter(self._idle.values()), math.inf):
            return True
        self._log(replaced=0)
        return False

    def add(self, connection: Limited) -> None:
        """Count a new connection, which is idle at first."""
        if len(self) >= self._most:
            self._log(replaced=1)
            oldest = next(iter(self._idle))
            self.remove(oldest)
            oldest.evict()
        self._idle[connection] = self._clock.monotonic() + GRACE_SECONDS

    def set_busy(self, connection: Limited) -> None:
        """Note that a request is being answered."""
        if connection in self._idle:
            del self._idle[connection]
            self._busy.add(connection)

    def set_idle(self, connection: Limited) -> None:
        """Note that the client is next."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._idle[connection] = -math.inf

    def remove(self, connection: Limited) -> None:
        """Forget a connection."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)

    def _log(self, *, replaced: int) -> None:
        if (counted := self._floods.add(replaced)) is not None:
            extra = {"port": self._port, "limit": self._most, "replaced": counted}
            log.warning("too many connections: new ones replace idle ones, or wait", extra=extra)


def most_connections(settings: Settings) -> int:
    """Return how many connections the API's port may have: at most half of the file descriptors."""
    accepted = settings.max_concurrency + settings.max_queue_length
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SPARE_CONNECTIONS + 2 * accepted  # as many again may be answered from the cache
    return wanted if descriptors == resource.RLIM_INFINITY else max(1, min(wanted, descriptors // 2))
