import asyncio

import pytest

from ttsworker.admission import MAX_RETRY_AFTER, Admission
from ttsworker.errors import ApiError


def admission(max_concurrency: int = 2, max_queue_length: int = 1) -> Admission:
    opened = Admission(max_concurrency=max_concurrency, max_queue_length=max_queue_length, refused=print)
    opened.state = "open"
    return opened


def test_nobody_comes_in_before_the_doors_open_or_after_they_close() -> None:
    reasons: list[str] = []
    closed = Admission(max_concurrency=1, max_queue_length=1, refused=reasons.append)
    for state in ("starting", "draining"):
        closed.state = state
        with pytest.raises(ApiError) as error:
            closed.enter(waiting=0)
        assert (error.value.status, error.value.code) == (503, state)
        assert error.value.headers
        assert int(error.value.headers["Retry-After"]) >= 1
    assert reasons == ["starting", "draining"]


def test_a_place_given_back_is_free_again_but_only_once() -> None:
    doors = admission(max_concurrency=1, max_queue_length=0)
    ticket = doors.enter(waiting=0)
    with pytest.raises(ApiError, match="no more can wait"):
        doors.enter(waiting=0)
    ticket.give_back()
    ticket.give_back()
    assert doors.accepted == 0
    doors.enter(waiting=0)


def test_retry_after_grows_with_the_time_requests_take_and_is_bounded() -> None:
    doors = admission(max_concurrency=1, max_queue_length=100)
    for _ in range(40):
        doors.enter(waiting=0)
    quick = doors.retry_after()
    for _ in range(10):
        doors.leave(seconds=2.0)
    slow = doors.retry_after()
    for _ in range(20):
        doors.leave(seconds=1e6)
    assert quick >= 1
    assert slow / 30 > quick / 40
    assert doors.retry_after() == MAX_RETRY_AFTER


async def test_empty_comes_with_the_last_one() -> None:
    doors = admission()
    tickets = [doors.enter(waiting=0), doors.enter(waiting=0)]
    empty = asyncio.create_task(doors.empty())
    for ticket in tickets:
        await asyncio.sleep(0)
        assert not empty.done()
        ticket.give_back()
    await empty
