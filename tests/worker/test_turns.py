"""Who speaks next, without an engine or a clock."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.requests import Utterance
from ttsworker.scheduler import Sentence, Stream
from ttsworker.scheduler.turns import SHORT, Turns, alike


def stream(*texts: str, voice: str = "one") -> Stream:
    sentences = [Sentence(Utterance(text, voice)) for text in texts]
    return Stream(sentences, np.zeros(0, np.int16), taken=lambda: None, closing=lambda: None)


def speak(chosen: Stream | None) -> str:
    """What a turn comes to: a sentence is begun and gives audio."""
    assert chosen
    text = chosen.begin().utterance.text
    chosen.put(np.ones(1, np.int16))
    return text


def admit(turns: Turns) -> list[Stream]:
    admitted = list(turns.admit())
    for each in admitted:
        turns.ready(each)
    return admitted


def speak_on(turns: Turns, chosen: Stream | None) -> str:
    text = speak(chosen)
    assert chosen
    if chosen.remaining:
        turns.ready(chosen)
    else:
        turns.leave(chosen)
    return text


def test_a_first_sentence_goes_before_every_later_one() -> None:
    turns = Turns(8)
    long = stream(*(f"long {number}" for number in range(100)))
    turns.enter(long)
    assert admit(turns) == [long]
    spoken = [speak_on(turns, turns.next()) for _ in range(3)]
    assert spoken == ["long 0", "long 1", "long 2"]
    short = stream("short")
    turns.enter(short)
    assert admit(turns) == [short]
    assert [speak_on(turns, turns.next()) for _ in range(2)] == ["short", "long 3"]


def test_an_urgent_stream_goes_before_all_and_takes_nobodys_place() -> None:
    turns = Turns(1)
    first, second = stream("first"), stream("second")
    turns.enter(first)
    turns.enter(second)
    assert admit(turns) == [first]
    urgent = stream("urgent")
    turns.enter_urgent(urgent)
    assert turns.next() is urgent
    assert turns.next() is first
    assert list(turns.waiting) == [second]


def test_a_batch_holds_what_is_alike() -> None:
    turns = Turns(8)
    every = [stream("Short one."), stream("Short two.", voice="two"), stream("x" * 200), stream("Short three.")]
    for each in every:
        turns.enter(each)
    admit(turns)
    first = turns.next()
    assert first is every[0]
    like = first.remaining[0].utterance
    assert turns.next(like) is every[3]
    assert turns.next(like) is None
    assert [turns.next(), turns.next()] == [every[1], every[2]]


def test_alike_is_about_voice_language_speed_and_length() -> None:
    one = Utterance("x" * 100, "one")
    assert alike(one, Utterance("y" * 199, "one"))
    assert not alike(one, Utterance("y" * 201, "one"))
    assert alike(Utterance("x", "one"), Utterance("y" * SHORT, "one"))
    assert not alike(one, Utterance("x" * 100, "two"))
    assert not alike(one, Utterance("x" * 100, "one", speed=1.5))
    assert not alike(one, Utterance("x" * 100, "one", "de"))


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12), most=st.integers(1, 4))
def test_everything_is_spoken_once_in_order_and_nobody_starves(lengths: list[int], most: int) -> None:
    turns = Turns(most)
    every = [stream(*(f"{number}.{part}" for part in range(length))) for number, length in enumerate(lengths)]
    for each in every:
        turns.enter(each)
    spoken: list[str] = []
    for _ in range(sum(lengths)):
        admit(turns)
        spoken.append(speak_on(turns, turns.next()))
    assert turns.next() is None
    assert not turns.waiting
    for number, length in enumerate(lengths):
        mine = [text for text in spoken if text.startswith(f"{number}.")]
        assert mine == [f"{number}.{part}" for part in range(length)]
        gaps = np.diff([place for place, text in enumerate(spoken) if text in mine])
        # Before it are as many others as have turns, and before each of them as many first sentences.
        assert all(gap <= most * (most + 1) for gap in gaps), spoken
