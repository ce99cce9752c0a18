"""Who speaks next, without an engine."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worker.simulated import Request, speak
from ttsworker.engines import Utterance
from ttsworker.scheduling.policy import SHORT, UNREAD_SECONDS, Queue, State, alike


def enter(queue: Queue[Request], *requests: Request) -> None:
    for each in requests:
        queue.enter(each, now=0.0)


def test_a_first_sentence_goes_before_every_later_one() -> None:
    queue = Queue[Request](8)
    long = Request(*(f"long {number}" for number in range(100)))
    enter(queue, long)
    spoken = [speak(queue) for _ in range(3)]
    assert spoken == ["long 0", "long 1", "long 2"]
    enter(queue, Request("short"))
    assert [speak(queue) for _ in range(2)] == ["short", "long 3"]


def test_who_runs_dry_first_goes_before_who_has_audio_left() -> None:
    queue = Queue[Request](3)
    enter(queue, *(Request(*texts) for texts in ("abc", "def", "ghi")))
    spoken = [speak(queue, seconds) for seconds in (900, 300, 600, 100, 600, 600, 600, 600, 600)]
    assert spoken == list("adgefhbic")


def test_an_urgent_stream_goes_before_all_and_takes_nobodys_place() -> None:
    queue = Queue[Request](1)
    first, second = Request("first"), Request("second")
    enter(queue, first, second)
    urgent = Request("urgent")
    queue.enter_urgent(urgent)
    assert queue.next() is urgent
    assert queue.next() is first
    assert list(queue.waiting) == [second]


def test_a_batch_holds_what_is_alike() -> None:
    queue = Queue[Request](8)
    every = [Request("Short one."), Request("Short two.", voice="two"), Request("x" * 200), Request("Short three.")]
    enter(queue, *every)
    first = queue.next()
    assert first is every[0]
    like = first.sentence
    assert queue.next(like) is every[3]
    assert queue.next(like) is None
    assert [queue.next(), queue.next()] == [every[1], every[2]]


def test_alike_is_about_voice_language_speed_and_length() -> None:
    one = Utterance("x" * 100, "one")
    assert alike(one, Utterance("y" * 199, "one"))
    assert not alike(one, Utterance("y" * 201, "one"))
    assert alike(Utterance("x", "one"), Utterance("y" * SHORT, "one"))
    assert not alike(one, Utterance("x" * 100, "two"))
    assert not alike(one, Utterance("x" * 100, "one", speed=1.5))
    assert not alike(one, Utterance("x" * 100, "one", "de"))


def test_first_sentences_of_those_without_a_place_alternate_with_the_others() -> None:
    queue = Queue[Request](2)
    enter(queue, Request("a0", "a1", "a2"), Request("b0", "b1", "b2"))
    assert [speak(queue) for _ in range(2)] == ["a0", "b0"]
    enter(queue, Request("c0", "c1"), Request("d0"))
    assert len(queue.waiting) == 2
    spoken = [speak(queue) for _ in range(6)]
    assert spoken == ["c0", "a1", "d0", "b1", "a2", "b2"]
    assert speak(queue) == "c1"
    assert queue.next() is None


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12), most=st.integers(1, 4))
def test_everything_is_spoken_once_in_order_and_nobody_starves(lengths: list[int], most: int) -> None:
    queue = Queue[Request](most)
    every = [Request(*(f"{number}.{part}" for part in range(length))) for number, length in enumerate(lengths)]
    enter(queue, *every)
    spoken: list[str] = []
    placed_at: dict[int, int] = {}
    for turn in range(sum(lengths)):
        for number, each in enumerate(every):
            if each.state is State.RUNNING:
                placed_at.setdefault(number, turn)
        spoken.append(speak(queue))
    assert queue.next() is None
    assert not queue.waiting
    for number, length in enumerate(lengths):
        mine = [text for text in spoken if text.startswith(f"{number}.")]
        assert mine == [f"{number}.{part}" for part in range(length)]
        places = [place for place, text in enumerate(spoken) if text in mine]
        # Before it are as many others as have places, and before each of them as many first sentences.
        assert all(
            gap <= most * (most + 1) for gap in np.diff([max(place, placed_at.get(number, 0)) for place in places])
        )


def test_a_request_whose_reader_is_slow_makes_room_until_he_has_caught_up() -> None:
    queue = Queue[Request](1)
    slow, other = Request("a0", "a1"), Request("b0", "b1")
    enter(queue, slow, other)
    slow.unread_seconds = UNREAD_SECONDS + 1
    assert speak(queue) == "a0"
    assert (slow.state, other.state) == (State.PREEMPTED, State.RUNNING)
    assert queue.audio_read(slow) == []
    slow.unread_seconds = UNREAD_SECONDS
    assert queue.audio_read(slow) == [slow]
    assert (slow.state, other.state) == (State.RUNNING, State.RUNNING)
    assert sorted(speak(queue) for _ in range(3)) == ["a1", "b0", "b1"]


def test_who_shares_a_sentence_in_flight_is_not_taken_for_it() -> None:
    queue = Queue[Request](2)
    one, same = Request("x", "y"), Request("x", "z")
    enter(queue, one)
    assert queue.next() is one
    assert queue.enter(same, now=0.0) == [same]
    queue.join(same)
    assert queue.next() is None
    assert same.in_flight
