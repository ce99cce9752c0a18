"""What a worker learns about its engine's estimates."""

import pytest

from ttsworker.scheduling.throughput import CORRECTION, Throughput


def taught(audio_seconds: float) -> Throughput:
    throughput = Throughput()
    for _ in range(100):
        throughput.observe(10, audio_seconds, audio_seconds / 2)
    return throughput


def test_an_estimate_counts_as_it_is_until_something_was_measured() -> None:
    assert Throughput(0.5).audio_seconds(12) == 12
    assert Throughput(0.5).work_seconds(12, 2) == 3


def test_it_learns_how_far_the_estimates_are_from_the_audio() -> None:
    assert taught(15).audio_seconds(10) == pytest.approx(15, rel=0.01)
    assert taught(15).work_seconds(10, 1) == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(("audio", "correction"), [(0.001, CORRECTION[0]), (10_000, CORRECTION[1])])
def test_nobody_can_teach_it_to_expect_next_to_nothing_or_next_to_everything(audio: float, correction: float) -> None:
    assert taught(audio).audio_seconds(10) == pytest.approx(10 * correction, rel=0.01)


def test_a_call_without_audio_or_estimate_teaches_nothing() -> None:
    throughput = Throughput()
    throughput.observe(0, 5, 1)
    throughput.observe(5, 0, 1)
    assert throughput.audio_seconds(1) == 1
