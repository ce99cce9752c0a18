"""Limit the wrong keys that an address may send, so that nobody can guess a key by trying many."""

from collections import OrderedDict
from collections.abc import Callable

from ttsworker.http.access.keys import Key
from ttsworker.http.access.limits import Limit
from ttsworker.http.access.ratelimit import MAX_CLIENTS, LocalLimiter

WRONG_KEYS = Limit(per_second=10 / 60, burst=10)
"""Ten wrong keys a minute: enough for people who mistype and clients whose key has just changed."""


class Guesses:
    """Counts the wrong keys of each address in this process; `clock` returns seconds.

    Beyond the limit an address may use only keys that it has used before. So guessing is slow, and a neighbour behind
    the same proxy does not lock out the clients that work there.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._wrong = LocalLimiter(clock)
        self._used: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def may_use(self, address: str, key: Key) -> bool:
        """Return whether this address may use a key that is right."""
        use = (address, key.digest)
        if use not in self._used and self._wrong.wait(address, WRONG_KEYS):
            return False
        self._used[use] = None
        self._used.move_to_end(use)
        if len(self._used) > MAX_CLIENTS:
            self._used.popitem(last=False)
        return True

    async def count(self, address: str) -> int:
        """Count a wrong key and return 0, or return the microseconds until the next one may be tried."""
        return await self._wrong.arrive(address, WRONG_KEYS)
