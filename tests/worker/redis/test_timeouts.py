"""Timeouts around a command: its result, its failure, its end."""

import asyncio
import gc
from typing import Any

import pytest

from tests.support.worker.serving import PATIENCE_SECONDS
from ttsworker.redis.timeouts import limited


async def fail() -> None:
    raise ValueError("no")


async def test_a_result_or_a_failure_passes_through() -> None:
    assert await limited(asyncio.sleep(0, "done"), PATIENCE_SECONDS) == "done"
    with pytest.raises(ValueError, match="no"):
        await limited(fail(), PATIENCE_SECONDS)


async def test_what_takes_too_long_has_ended_when_the_timeout_is_raised() -> None:
    ended = asyncio.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await limited(wait_for_ever(), 0.01)
    assert ended.is_set()


async def test_a_failure_in_the_moment_of_a_cancellation_is_not_logged_by_asyncio() -> None:
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    for ticks in range(1, 6):
        waiting = asyncio.create_task(limited(fail(), PATIENCE_SECONDS))
        for _ in range(ticks):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        del waiting
        gc.collect()
    assert logged == []
