"""Leaves a failing server alone for a while, and then lets one request find out whether it is back."""

import time
from collections.abc import Callable

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds; every vain attempt doubles the pause."""


class Pauses:
    """A circuit breaker that one failure opens. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause = 0.0
        self._until = 0.0
        self._trying = False

    def allows(self) -> bool:
        """Tell whether to ask now; during an attempt nobody else asks until the pause is over once more."""
        if not self._pause:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._pause
        self._trying = True
        return True

    def succeeded(self) -> None:
        """Ask as often as needed from now on."""
        self._pause, self._trying = 0.0, False

    def failed(self) -> None:
        """Begin a pause, or a longer one after a vain attempt; requests that were on their way add nothing to it."""
        if self._pause and not self._trying:
            return
        self._pause = min(LONGEST_PAUSE, 2 * self._pause or FIRST_PAUSE)
        self._until = self._clock() + self._pause
        self._trying = False
