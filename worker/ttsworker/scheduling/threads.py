"""Threads for calls that take long or may never return."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class CallThreads:
    """Daemon threads that run calls for the event loop, in the order they come.

    Unlike threads of concurrent.futures they do not keep the process alive when a call never returns.
    """

    def __init__(self, name: str, count: int = 1) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """Run the call in one of the threads and return its result or raise its exception."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put((call, future))
        return await future

    def stop(self) -> None:
        """End the threads after the calls there are."""
        for _ in self._threads:
            self._calls.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the end, at most `timeout` seconds; false when a call has still not returned."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (item := self._calls.get()) is not None:
            call, future = item
            try:
                result = call()
            except Exception as error:  # noqa: BLE001 - handed to whoever awaits the call
                _report(future, future.set_exception, error)
            else:
                _report(future, future.set_result, result)


def _report(future: asyncio.Future[Any], setter: Callable[[Any], None], value: object) -> None:
    def settle() -> None:
        if not future.done():  # its waiter may have been cancelled
            setter(value)

    loop = future.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)
