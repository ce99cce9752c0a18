"""An answer that is sent in one go is in memory once, and less and less while it is sent."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import AnswerMemory
from ttsworker.speech.whole_answer import BLOCK_BYTES, WholeAnswer

MIB = 2**20


@given(st.lists(st.binary(max_size=3 * BLOCK_BYTES), max_size=8), st.integers(0, 100))
def test_the_blocks_are_the_parts_in_order_and_the_reservation_follows(parts: list[bytes], others: int) -> None:
    memory = AnswerMemory(100 * MIB, print)
    with memory.reserve(others) as reservation:
        answer = WholeAnswer(reservation, others)
        for part in parts:
            answer.add(part)
        assert memory.held == others + answer.length == others + sum(map(len, parts))
        sent = bytearray()
        for block in answer.blocks():
            assert memory.held == others + answer.length - len(sent)
            sent += block
        assert sent == b"".join(parts)
        assert memory.held == others
    assert memory.held == 0


def test_an_estimate_that_was_too_high_is_corrected_at_the_end() -> None:
    memory = AnswerMemory(100, print)
    with memory.reserve(80) as reservation:
        answer = WholeAnswer(reservation)
        answer.add(b"x" * 10)
        assert memory.held == 80
        next(answer.blocks())
        assert memory.held == 10


def test_an_answer_that_grows_too_long_is_refused() -> None:
    memory = AnswerMemory(100, lambda _: None)
    with memory.reserve(60), memory.reserve(10) as reservation:
        answer = WholeAnswer(reservation)
        answer.add(b"x" * 40)
        with pytest.raises(NotAdmitted):
            answer.add(b"x")


def test_every_byte_is_in_memory_once_and_freed_when_it_is_sent() -> None:
    with AnswerMemory(100 * MIB, print).reserve(0) as reservation:
        answer = WholeAnswer(reservation)
        tracemalloc.start()
        try:
            for _ in range(16 * MIB // 8192):
                answer.add(bytes(8192))
            held, _ = tracemalloc.get_traced_memory()
            left = answer.length
            for block in answer.blocks():
                left -= len(block)
                assert tracemalloc.get_traced_memory()[0] < left + 3 * BLOCK_BYTES + MIB // 4
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert held < 16.5 * MIB
    assert peak < 17 * MIB
