"""The queue: coalescing, one pass of a key at once, back-off, and a limited rate. Time is virtual."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable

import pytest

from tests.support.virtual_time import now, run
from ttsoperator.watch.workqueue import BURST_PASSES, LAST_RETRY_SECONDS, PASS_SECONDS, REFILL_SECONDS, Retry, WorkQueue

Handle = Callable[[str], Awaitable[float | None]]


async def work(queue: WorkQueue[str], handle: Handle, *, seconds: float, workers: int = 2) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await queue.run(handle, workers)


def test_wakes_before_and_during_a_pass_make_one_more_pass() -> None:
    async def story() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        passes = []

        async def handle(key: str) -> None:
            passes.append(key)
            if len(passes) == 1:
                for _ in range(5):
                    queue.add(key)
                await asyncio.sleep(3)

        for _ in range(5):
            queue.add("a")
        await work(queue, handle, seconds=60)
        return passes

    assert run(story()) == ["a", "a"]


def test_one_key_is_never_in_two_passes_and_others_go_on_meanwhile() -> None:
    async def story() -> tuple[int, set[str]]:
        queue: WorkQueue[str] = WorkQueue()
        running: list[str] = []
        together: set[str] = set()
        most = 0

        async def handle(key: str) -> float:
            nonlocal most
            running.append(key)
            most = max(most, running.count(key))
            together.update("".join(sorted(running)).split(",") if len(running) > 1 else ())
            await asyncio.sleep(1)
            running.remove(key)
            return 0.0

        queue.add("a")
        queue.add("b")
        await work(queue, handle, seconds=30, workers=4)
        return most, together

    assert run(story()) == (1, {"ab"})


def test_of_two_requests_the_earlier_one_wins_and_the_later_is_forgotten() -> None:
    async def story() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        times: list[float] = []

        async def handle(_: str) -> None:
            times.append(now())

        queue.add("a", after=50)
        queue.add("a", after=10)
        queue.add("a", after=30)
        await work(queue, handle, seconds=500)
        return times

    assert run(story()) == [10]


def test_a_pass_may_ask_to_be_repeated() -> None:
    async def story() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        times: list[float] = []

        async def handle(_: str) -> float | None:
            times.append(now())
            return 5.0 if len(times) < 4 else None

        queue.add("a")
        await work(queue, handle, seconds=500)
        return times

    assert run(story()) == [0, 5, 10, 15]


@pytest.mark.parametrize("error", [Retry("not yet"), ValueError("a bug")])
def test_failing_passes_back_off_to_minutes_and_success_resets_it(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        times: list[float] = []

        async def handle(_: str) -> None:
            times.append(now())
            if len(times) not in (12, 13):
                raise error

        queue.add("a")
        await work(queue, handle, seconds=3000)
        assert len(times) == 12
        queue.add("a")
        await work(queue, handle, seconds=1)
        queue.add("a")
        await work(queue, handle, seconds=4)
        return times

    with caplog.at_level(logging.ERROR):
        times = run(story())
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    for n, pause in enumerate(pauses[:11]):
        expected = min(LAST_RETRY_SECONDS, 2.0**n)
        assert 0.79 * expected <= pause <= 1.21 * expected
    assert len(times) >= 15, "after a success the first retry comes soon again"
    assert bool(caplog.records) == (not isinstance(error, Retry)), (
        "only what nobody expected is logged with a traceback"
    )


def test_a_key_that_is_woken_by_its_own_writes_forever_cannot_run_hot() -> None:
    async def story() -> int:
        queue: WorkQueue[str] = WorkQueue()
        passes = 0

        async def handle(key: str) -> None:
            nonlocal passes
            passes += 1
            queue.add(key)

        queue.add("a")
        await work(queue, handle, seconds=600)
        return passes

    assert 300 < run(story()) <= BURST_PASSES * 1.3 + 600 / REFILL_SECONDS


def test_a_hanging_pass_is_ended_and_tried_again() -> None:
    async def story() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        times: list[float] = []

        async def handle(_: str) -> None:
            times.append(now())
            if len(times) == 1:
                await asyncio.sleep(10**6)

        queue.add("a")
        await work(queue, handle, seconds=1000)
        return times

    first, second = run(story())
    assert first == 0
    assert PASS_SECONDS <= second <= PASS_SECONDS + 2


def test_what_was_interrupted_by_a_lost_lease_is_done_in_the_next_term() -> None:
    async def story() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        finished = []

        async def handle(key: str) -> None:
            await asyncio.sleep(10)
            finished.append(key)

        queue.add("a")
        await work(queue, handle, seconds=5)
        assert finished == []
        await work(queue, handle, seconds=60)
        return finished

    assert run(story()) == ["a"]


def test_stuck_is_when_something_is_due_and_nothing_ends() -> None:
    async def story() -> None:
        queue: WorkQueue[str] = WorkQueue()
        assert queue.stuck_seconds() == 0
        assert queue.idle_seconds() is None
        queue.add("later", after=1000)

        async def handle(_: str) -> None:
            await asyncio.sleep(50)

        for key in "abc":
            queue.add(key)
        task = asyncio.ensure_future(queue.run(handle, 1))
        await asyncio.sleep(40)
        assert queue.depth() == 2
        assert queue.stuck_seconds() == 40
        await asyncio.sleep(20)
        assert queue.depth() == 1
        assert queue.stuck_seconds() == 10
        await asyncio.sleep(200)
        assert queue.stuck_seconds() == 0
        assert queue.idle_seconds() == 110
        task.cancel()
        await asyncio.wait([task])

    run(story())


def test_thousands_of_keys_that_came_and_went_leave_nothing_behind() -> None:
    async def story() -> int:
        queue: WorkQueue[str] = WorkQueue()

        async def handle(_: str) -> None:
            return None

        for batch in range(5):
            for n in range(1000):
                queue.add(f"{batch}-{n}")
            await work(queue, handle, seconds=100)
        return len(queue._entries)

    assert run(story()) <= 2000
