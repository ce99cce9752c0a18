"""Threads for calls that take long or may never return."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class CallThread:
    """A daemon thread that runs one call after another for the event loop.

    Unlike a thread of concurrent.futures it does not keep the process alive when a call never returns.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], T]) -> T:
        """Run the call in the thread and return its result or raise its exception."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put((call, future))
        return await future

    def stop(self) -> None:
        """End the thread after its present call."""
        self._calls.put(None)

    def join(self, timeout: float) -> bool:
        """Wait for the end, at most `timeout` seconds; false when the call has still not returned."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

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
