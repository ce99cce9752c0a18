"""The bound on the memory of all answers, without a server."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import AnswerMemory, AnswerTooLarge


def test_what_can_never_fit_is_too_large_and_what_does_not_fit_now_may_come_later() -> None:
    refused: list[str] = []
    memory = AnswerMemory(1000, refused.append)
    with memory.reserve(600):
        with pytest.raises(NotAdmitted, match="wait for their clients") as error, memory.reserve(401):
            pass
        assert (error.value.code, error.value.retry_after_seconds > 0) == ("memory_full", True)
        with pytest.raises(AnswerTooLarge, match="stream the answer"), memory.reserve(801):
            pass
        with memory.reserve(400):
            assert memory.held == 1000
    assert memory.held == 0
    assert refused == ["memory_full"]
    with memory.reserve(800):
        pass


def test_an_estimate_that_was_too_low_grows_as_far_as_there_is_room() -> None:
    memory = AnswerMemory(1000, print)
    with memory.reserve(100) as one, memory.reserve(500):
        one.grow_to(50)
        assert memory.held == 600
        one.grow_to(500)
        with pytest.raises(NotAdmitted):
            one.grow_to(501)
        with pytest.raises(AnswerTooLarge):
            one.grow_to(801)
        assert memory.held == 1000
        one.shrink_to(20)
        assert memory.held == 520
    assert memory.held == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 1200)), max_size=60))
def test_the_total_is_never_above_the_bound_and_always_the_sum(steps: list[tuple[int, bool, int]]) -> None:
    memory = AnswerMemory(1000, lambda _: None)
    answers = [memory.reserve(0) for _ in range(6)]
    entered = [answer.__enter__() for answer in answers]
    for number, grow, size in steps:
        try:
            (entered[number].grow_to if grow else entered[number].shrink_to)(size)
        except (AnswerTooLarge, NotAdmitted):
            assert grow
        assert memory.held == sum(answer.size for answer in entered) <= 1000
    for answer in answers:
        answer.__exit__(None, None, None)
    assert memory.held == 0


def test_a_client_leaves_memory_for_others_however_many_answers_it_has() -> None:
    memory = AnswerMemory(1000, lambda _: None)
    with ExitStack() as answers:
        for _ in range(8):
            answers.enter_context(memory.reserve(100, "greedy"))
        with pytest.raises(NotAdmitted), memory.reserve(1, "greedy"):
            pass
        with pytest.raises(NotAdmitted), memory.reserve(161, "second"):
            pass
        answers.enter_context(memory.reserve(160, "second"))
        with pytest.raises(NotAdmitted), memory.reserve(33, "third"):
            pass
        with memory.reserve(32, "third"), memory.reserve(6, "fourth"):
            assert memory.held == 998
    with memory.reserve(800, "greedy"):
        pass


def test_who_has_no_name_shares_with_nobody() -> None:
    memory = AnswerMemory(1000, print)
    with memory.reserve(600), memory.reserve(400):
        assert memory.held == 1000
