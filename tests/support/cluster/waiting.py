"""Waiting for a cluster that gets there in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.cluster.kubectl import PATIENCE, KubectlError

T = TypeVar("T")


def eventually(check: Callable[[], T | None], within: float = PATIENCE, every: float = 0.5) -> T:
    """The first true value of check, called again while it is false, asserts in vain or kubectl refuses.

    Raises AssertionError with the last failure when `within` seconds are over.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            value = check()
            failure = f"last value: {value!r}"
            if value:
                return value
        except (AssertionError, KubectlError) as error:
            failure = str(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:.0f} s: {failure}")
        time.sleep(every)


def holds(check: Callable[[], bool], seconds: float, every: float = 0.5) -> None:
    """Assert that something stays true for a while: only for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert check()
        time.sleep(every)
