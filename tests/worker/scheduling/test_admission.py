import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.scheduling.admission import MAX_RETRY_AFTER, Admission, Load, NotAdmitted, Ticket, retry_after

NOTHING = Load(waiting=0, waiting_audio_seconds=0.0, work_seconds=0.0)


def admission(max_concurrency: int = 2, max_queue_length: int = 1, max_queue_audio_seconds: float = 100.0) -> Admission:
    opened = Admission(
        max_concurrency=max_concurrency,
        max_queue_length=max_queue_length,
        max_queue_audio_seconds=max_queue_audio_seconds,
        on_refused=print,
    )
    opened.state = "open"
    return opened


def test_nobody_comes_in_before_the_doors_open_or_after_they_close() -> None:
    reasons: list[str] = []
    closed = Admission(max_concurrency=1, max_queue_length=1, max_queue_audio_seconds=1.0, on_refused=reasons.append)
    for state in ("starting", "draining"):
        closed.state = state
        with pytest.raises(NotAdmitted) as error:
            closed.enter(NOTHING, 1.0)
        assert error.value.code == state
        assert error.value.retry_after_seconds >= 1
    assert reasons == ["starting", "draining"]


def test_a_place_given_back_is_free_again_but_only_once() -> None:
    doors = admission(max_concurrency=1, max_queue_length=0)
    ticket = doors.enter(NOTHING, 1.0)
    with pytest.raises(NotAdmitted, match="no more can wait"):
        doors.enter(NOTHING, 1.0)
    ticket.give_back()
    ticket.give_back()
    assert doors.accepted == 0
    doors.enter(NOTHING, 1.0)


def test_the_audio_that_waits_is_bounded_but_the_first_to_wait_may_be_long() -> None:
    doors = admission(max_concurrency=1, max_queue_length=50)
    doors.enter(NOTHING, 1000.0)
    some = Load(waiting=1, waiting_audio_seconds=60.0, work_seconds=9.0)
    doors.enter(some, 40.0)
    with pytest.raises(NotAdmitted, match="about 60 s of audio wait, and at most 100 s may: try again in 5 s") as error:
        doors.enter(some, 41.0)
    assert (error.value.code, error.value.retry_after_seconds) == ("queue_full", 5)


def test_what_is_cached_comes_in_however_much_waits_and_takes_nobodys_place() -> None:
    doors = admission(max_concurrency=1, max_queue_length=0)
    full = Load(waiting=9, waiting_audio_seconds=1000.0, work_seconds=1000.0)
    cached = doors.enter(full, 0.0)
    with pytest.raises(NotAdmitted, match="0 requests are being answered"):
        doors.enter(full, 0.1)
    spoken = doors.enter(NOTHING, 1.0)
    assert doors.accepted == 2
    cached.give_back()
    spoken.give_back()
    assert doors.accepted == 0


def test_what_is_cached_is_bounded_by_itself() -> None:
    doors = admission(max_concurrency=2, max_queue_length=1)
    tickets = [doors.enter(NOTHING, 0.0) for _ in range(3)]
    with pytest.raises(NotAdmitted, match="3 requests are being answered from the cache") as error:
        doors.enter(NOTHING, 0.0)
    assert (error.value.code, error.value.retry_after_seconds) == ("queue_full", 1)
    tickets[0].give_back()
    doors.enter(NOTHING, 0.0)


def test_retry_after_is_half_the_work_and_bounded() -> None:
    assert retry_after(0.0) == 1
    assert retry_after(21.0) == 11
    assert retry_after(1e6) == MAX_RETRY_AFTER


async def test_empty_comes_with_the_last_one() -> None:
    doors = admission()
    tickets = [doors.enter(NOTHING, 1.0), doors.enter(NOTHING, 1.0)]
    empty = asyncio.create_task(doors.empty())
    for ticket in tickets:
        await asyncio.sleep(0)
        assert not empty.done()
        ticket.give_back()
    await empty


def fill(doors: Admission, seconds: float, client: str) -> list[Ticket]:
    """Take all the places that the client gets."""
    taken: list[Ticket] = []
    with contextlib.suppress(NotAdmitted):
        while True:
            taken.append(doors.enter(NOTHING, seconds, client))
    return taken


@pytest.mark.parametrize("seconds", [0.0, 1.0], ids=["cached", "spoken"])
@pytest.mark.parametrize("places", [3, 5, 9, 72, 1000])
def test_a_client_that_takes_all_it_gets_leaves_a_place_for_every_newcomer(places: int, seconds: float) -> None:
    doors = admission(max_concurrency=1, max_queue_length=places - 1)
    taken = fill(doors, seconds, "greedy")
    with pytest.raises(NotAdmitted, match="the last places are for others") as error:
        doors.enter(NOTHING, seconds, "greedy")
    assert error.value.code == "queue_full"
    assert places * 0.5 <= len(taken) <= places * 0.8 + 1
    ticket = doors.enter(NOTHING, seconds, "newcomer")
    ticket.give_back()
    for each in taken[: len(taken) // 2]:
        each.give_back()
    doors.enter(NOTHING, seconds, "greedy")


def test_several_greedy_clients_leave_a_place_too() -> None:
    doors = admission(max_concurrency=8, max_queue_length=64)
    for number in range(3):
        assert len(fill(doors, 1.0, f"greedy {number}")) > 1
    doors.enter(NOTHING, 1.0, "newcomer")


def test_a_single_place_is_for_whoever_comes() -> None:
    doors = admission(max_concurrency=1, max_queue_length=0)
    doors.enter(NOTHING, 1.0, "anybody").give_back()
    doors.enter(NOTHING, 1.0, "anybody")


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=120))
def test_whatever_came_before_a_client_without_a_request_is_refused_only_when_all_places_are_taken(
    steps: list[tuple[int, bool, bool]],
) -> None:
    doors = admission(max_concurrency=2, max_queue_length=10)
    held: dict[int, list[Ticket]] = {number: [] for number in range(4)}
    for client, enters, cached in steps:
        if enters:
            before = doors.accepted
            try:
                held[client].append(doors.enter(NOTHING, 0.0 if cached else 1.0, f"client {client}"))
            except NotAdmitted:
                assert held[client] or before >= 12
        elif held[client]:
            held[client].pop().give_back()
    assert doors.accepted == sum(map(len, held.values()))
