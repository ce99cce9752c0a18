"""Clients share the engine equally: the counters by themselves, and the policy in simulated time."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worker.simulated import Request, simulate, speak
from ttsworker.scheduling.fairness import Shares
from ttsworker.scheduling.policy import Queue, State

WORK = 1.0
"""Seconds that the engine needs for a sentence."""


def texts(name: str, sentences: int) -> list[str]:
    return [f"{name} {number:03}" for number in range(sentences)]


def heard_at(arrivals: list[tuple[float, Request]], name: str, max_running: int) -> list[float]:
    """When each sentence of this name ends, all sentences being equally long."""
    spoken = simulate(arrivals, max_running=max_running, work=WORK, audio=5)
    return [time for time, text in spoken if text.startswith(f"{name} ")]


@given(
    queued=st.integers(0, 60),
    length=st.integers(1, 30),
    places=st.integers(1, 8),
    begun=st.integers(0, 40),
)
def test_one_request_waits_no_longer_than_a_bound_whatever_another_client_has_queued(
    queued: int, length: int, places: int, begun: int
) -> None:
    """Its first sentence is the second to begin from then on, or the third after a later one of another."""
    greedy = [Request(*texts(f"g{number}", length), client="greedy") for number in range(queued)]
    late = float(begun) + 0.5
    arrivals = [(0.0, each) for each in greedy] + [(late, Request("late 000", client="late"))]
    [heard] = heard_at(arrivals, "late", places)
    assert heard - late <= 4 * WORK


@given(queued=st.integers(1, 60), length=st.integers(1, 30), places=st.integers(2, 8), own=st.integers(2, 12))
def test_a_long_text_gets_on_whatever_another_client_has_queued(
    queued: int, length: int, places: int, own: int
) -> None:
    greedy = [Request(*texts(f"g{number}", length), client="greedy") for number in range(queued)]
    arrivals = [(0.0, each) for each in greedy] + [(5.5, Request(*texts("late", own), client="late"))]
    heard = heard_at(arrivals, "late", places)
    # Before each of its later sentences come at most as many first ones as there are places, and one of the other's.
    assert heard[-1] - 5.5 <= (4 + (own - 1) * (places + 2)) * WORK


@pytest.mark.parametrize("places", [2, 4, 8])
def test_the_wait_does_not_grow_with_what_another_client_has_queued(places: int) -> None:
    def ends(queued: int) -> float:
        greedy = [Request(*texts(f"g{number}", 20), client="greedy") for number in range(queued)]
        late = Request(*texts("late", 8), client="late")
        return heard_at([*((0.0, each) for each in greedy), (30.5, late)], "late", places)[-1]

    assert ends(30) == ends(60) == ends(120)


def test_with_one_place_a_long_text_waits_for_the_one_that_is_spoken_and_no_other() -> None:
    greedy = [Request(*texts(f"g{number}", 10), client="greedy") for number in range(20)]
    late = Request(*texts("late", 4), client="late")
    heard = heard_at([*((0.0, each) for each in greedy), (0.5, late)], "late", 1)
    assert heard[0] <= 4
    assert heard[1] <= 10 + 20 + 4  # the text, and first sentences of those that wait between its own


def test_who_has_many_requests_gets_as_much_as_who_has_one() -> None:
    queue = Queue[Request](8)
    for number in range(7):
        queue.enter(Request(*texts(f"many{number}", 100), client="many"), now=0.0)
    queue.enter(Request(*texts("alone", 100), client="one"), now=0.0)
    spoken = [speak(queue).split(" ")[0] for _ in range(100)]
    assert 46 <= spoken.count("alone") <= 54  # the other's first sentences are not made up for


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), min_size=1, max_size=12), st.integers(1, 4))
def test_one_client_alone_sees_no_change(asked: list[tuple[int, int]], places: int) -> None:
    def spoken(client: str) -> list[tuple[float, str]]:
        requests = [
            (float(at), Request(*texts(str(number), length), client=client))
            for number, (at, length) in enumerate(asked)
        ]
        return list(simulate(requests, max_running=places, work=WORK, audio=3))

    assert spoken("") == spoken("anybody")


def test_places_are_shared_a_sentence_at_a_time() -> None:
    queue = Queue[Request](4)
    greedy = [Request(*texts(f"g{number}", 50), client="greedy") for number in range(6)]
    for each in greedy:
        queue.enter(each, now=0.0)
    others = [Request(*texts(f"o{number}", 50), client="other") for number in range(3)]
    for each in others:
        queue.enter(each, now=0.0)
    assert [each.state for each in others] == [State.WAITING] * 3
    for _ in range(40):
        speak(queue)
    assert sum(each.state is State.RUNNING for each in greedy) == 2
    assert sum(each.state is State.RUNNING for each in others) == 2
    assert queue.waiting == [each for each in (*greedy, *others) if each.state is State.WAITING]


def test_clients_with_a_request_each_are_not_interrupted() -> None:
    """As many texts are spoken at once as there are places, however many clients wait."""
    queue = Queue[Request](3)
    every = [Request(*texts(f"c{number}", 5), client=str(number)) for number in range(9)]
    for each in every:
        queue.enter(each, now=0.0)
    first = every[:3]
    while queue.open:
        speak(queue)
        running = [each for each in every if each.state is State.RUNNING]
        assert len(running) <= 3
        if any(each.state is not State.DONE for each in first):
            assert {each for each in first if each.state is not State.DONE} <= set(running)


def test_endless_newcomers_do_not_keep_a_client_waiting() -> None:
    """Each of them comes before the last one is served, and would have the lowest counter of all."""
    queue = Queue[Request](2)
    for _ in range(3):
        queue.enter(Request("x" * 200, client="old"), now=0.0)
        speak(queue)
    waiting = Request("the old one again", client="old")
    queue.enter(waiting, now=0.0)
    for number in itertools.count():
        queue.enter(Request("y" * 50, client=f"new {number}"), now=0.0)
        if speak(queue) == "the old one again":
            break
        assert number < 20


def test_an_urgent_request_counts_for_no_client() -> None:
    queue = Queue[Request](1)
    queue.enter(Request("a0", "a1", client="a"), now=0.0)
    queue.enter_urgent(Request("urgent", "urgent too"))
    queue.enter(Request("b0", client="b"), now=0.0)
    assert [speak(queue) for _ in range(5)] == ["urgent", "a0", "urgent too", "b0", "a1"]


class TestShares:
    def test_who_had_least_is_next_and_nobody_saves_up_turns(self) -> None:
        shares = Shares()
        shares.enter("a")
        shares.add("a", 100)
        assert shares.is_next("a")
        shares.enter("b")
        assert shares.work("b") == shares.work("a")
        shares.add("b", 10)
        assert shares.is_next("a")
        assert not shares.is_next("b")

    def test_who_comes_back_has_kept_what_it_had(self) -> None:
        shares = Shares()
        shares.enter("other")
        shares.enter("a")
        shares.add("a", 100)
        shares.leave("a")
        shares.enter("a")
        assert shares.work("a") == 100
        assert shares.is_next("other")

    def test_nothing_is_remembered_of_an_idle_worker(self) -> None:
        shares = Shares()
        for client in "abc":
            shares.enter(client)
            shares.add(client, 10)
        for client in "abc":
            shares.leave(client)
        assert len(shares) == 0

    @given(st.lists(st.integers(0, 300), max_size=200))
    def test_the_memory_is_bounded_by_the_clients_of_the_last_turns(self, steps: list[int]) -> None:
        shares = Shares()
        shares.enter("always")
        for serial, work in enumerate(steps):
            shares.enter(client := f"client {serial}")
            while not shares.is_next(client):
                shares.add("always", 300)
            shares.add(client, work)
            shares.leave(client)
            assert len(shares) <= 8
