"""Who speaks next, without an engine."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.engines import Utterance
from ttsworker.scheduling import Sentence, Stream
from ttsworker.scheduling.policy import SHORT, Queue, State, alike

SAMPLE_RATE = 10**9
"""A sample of audio has been heard before the next turn."""


def stream(*texts: str, voice: str = "one", sample_rate: int = SAMPLE_RATE) -> Stream:
    sentences = [Sentence(Utterance(text, voice)) for text in texts]
    return Stream(sentences, np.zeros(0, np.int16), sample_rate, on_taken=lambda: None, on_closed=lambda: None)


def speak(chosen: Stream | None, samples: int = 1) -> str:
    """What a turn comes to: a sentence is begun and gives audio."""
    assert chosen
    text = chosen.begin().utterance.text
    chosen.put(np.ones(samples, np.int16))
    return text


def enter(queue: Queue[Stream], *streams: Stream) -> None:
    """What the scheduler does with new streams: their first sentences are in the row, whoever has a place."""
    for each in streams:
        queue.enter(each)
        queue.make_ready(each)
    admit(queue)


def admit(queue: Queue[Stream]) -> None:
    for each in queue.admit(time.monotonic()):
        if not queue.is_ready(each):
            queue.make_ready(each)


def speak_on(queue: Queue[Stream], chosen: Stream | None, samples: int = 1) -> str:
    text = speak(chosen, samples)
    assert chosen
    if not chosen.remaining:
        queue.finish(chosen)
        admit(queue)
    elif chosen.state is State.RUNNING:
        queue.make_ready(chosen)
    return text


def test_a_first_sentence_goes_before_every_later_one() -> None:
    queue = Queue[Stream](8)
    long = stream(*(f"long {number}" for number in range(100)))
    enter(queue, long)
    spoken = [speak_on(queue, queue.next()) for _ in range(3)]
    assert spoken == ["long 0", "long 1", "long 2"]
    enter(queue, stream("short"))
    assert [speak_on(queue, queue.next()) for _ in range(2)] == ["short", "long 3"]


def test_who_runs_dry_first_goes_before_who_has_audio_left() -> None:
    queue = Queue[Stream](3)
    enter(queue, *(stream(*texts, sample_rate=1) for texts in ("abc", "def", "ghi")))
    spoken = [speak_on(queue, queue.next(), seconds) for seconds in (900, 300, 600, 100, 600, 600, 600, 600, 600)]
    assert spoken == list("adgefhbic")


def test_an_urgent_stream_goes_before_all_and_takes_nobodys_place() -> None:
    queue = Queue[Stream](1)
    first, second = stream("first"), stream("second")
    enter(queue, first, second)
    urgent = stream("urgent")
    queue.enter_urgent(urgent)
    assert queue.next() is urgent
    assert queue.next() is first
    assert list(queue.waiting) == [second]


def test_a_batch_holds_what_is_alike() -> None:
    queue = Queue[Stream](8)
    every = [stream("Short one."), stream("Short two.", voice="two"), stream("x" * 200), stream("Short three.")]
    enter(queue, *every)
    first = queue.next()
    assert first is every[0]
    like = first.remaining[0].utterance
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
    queue = Queue[Stream](2)
    enter(queue, stream("a0", "a1", "a2"), stream("b0", "b1", "b2"))
    assert [speak_on(queue, queue.next()) for _ in range(2)] == ["a0", "b0"]
    enter(queue, stream("c0", "c1"), stream("d0"))
    assert len(queue.waiting) == 2
    spoken = [speak_on(queue, queue.next()) for _ in range(6)]
    assert spoken == ["c0", "a1", "d0", "b1", "a2", "b2"]
    assert speak_on(queue, queue.next()) == "c1"
    assert queue.next() is None


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12), most=st.integers(1, 4))
def test_everything_is_spoken_once_in_order_and_nobody_starves(lengths: list[int], most: int) -> None:
    queue = Queue[Stream](most)
    every = [stream(*(f"{number}.{part}" for part in range(length))) for number, length in enumerate(lengths)]
    enter(queue, *every)
    spoken: list[str] = []
    placed_at: dict[int, int] = {}
    for turn in range(sum(lengths)):
        for number, each in enumerate(every):
            if each.state is State.RUNNING:
                placed_at.setdefault(number, turn)
        spoken.append(speak_on(queue, queue.next()))
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
