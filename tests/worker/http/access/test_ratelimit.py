"""The rate limit's arithmetic: a burst is as long as it says, the rate holds in the long run, memory has a bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worker.manual_clock import ManualSeconds
from ttscontract.worker_config import MAX_BURST, MAX_RATE, MIN_RATE
from ttsworker.http.access.limits import SECOND, Limit, arrive, whole_seconds
from ttsworker.http.access.ratelimit import LocalLimiter

DEFAULT = Limit(10, 20)

limits = st.builds(Limit, st.floats(MIN_RATE, MAX_RATE), st.integers(1, 100))
any_limits = st.builds(Limit, st.floats(MIN_RATE, MAX_RATE), st.integers(1, MAX_BURST))
times = st.integers(1, 2_000_000_000 * SECOND)


@given(limit=limits, now=times)
def test_a_new_client_has_exactly_its_burst_at_once(limit: Limit, now: int) -> None:
    free_at = 0
    for _ in range(limit.burst):
        free_at, wait = arrive(free_at, now, limit)
        assert wait == 0
    assert arrive(free_at, now, limit)[1] > 0


@given(limit=limits, now=times, gaps=st.lists(st.integers(0, 3 * SECOND), max_size=60))
def test_no_window_lets_in_more_than_the_rate_and_a_burst(limit: Limit, now: int, gaps: list[int]) -> None:
    free_at, accepted = 0, []
    for gap in gaps:
        now += gap
        free_at, wait = arrive(free_at, now, limit)
        if not wait:
            accepted.append(now)
    for first in range(len(accepted)):
        for last in range(first, len(accepted)):
            window = accepted[last] - accepted[first]
            assert (last - first + 1 - limit.burst) * limit.interval <= window


@given(limit=any_limits, now=times, free_at=times)
def test_the_time_to_wait_is_true_and_never_longer_than_needed(limit: Limit, now: int, free_at: int) -> None:
    free_at, wait = arrive(free_at, now, limit)
    if wait:
        assert arrive(free_at, now + wait, limit)[1] == 0
        assert arrive(free_at, now + wait - 1, limit)[1] > 0
        assert arrive(free_at, now + whole_seconds(wait) * SECOND, limit)[1] == 0
        assert wait <= limit.interval


@given(limit=any_limits, now=times, free_at=times)
def test_a_refused_request_costs_nothing_and_patience_restores_the_burst(limit: Limit, now: int, free_at: int) -> None:
    after, wait = arrive(free_at, now, limit)
    if wait:
        assert arrive(after, now, limit) == (after, wait)
    assert arrive(after, now + limit.span, limit) == (now + limit.span + limit.interval, 0)


@given(limit=any_limits, now=times)
def test_every_time_is_exact_in_a_double(limit: Limit, now: int) -> None:
    assert now + limit.span + limit.interval < 2**53


def test_ten_a_second_after_the_burst() -> None:
    free_at = 0
    for _ in range(20):
        free_at, _ = arrive(free_at, SECOND, DEFAULT)
    free_at, wait = arrive(free_at, SECOND, DEFAULT)
    assert wait == SECOND // 10
    assert whole_seconds(wait) == 1
    assert whole_seconds(SECOND + 1) == 2


async def test_clients_are_counted_apart() -> None:
    limiter = LocalLimiter(ManualSeconds(1000.0))
    limit = Limit(1, 1)
    assert await limiter.arrive("one", limit) == 0
    assert await limiter.arrive("two", limit) == 0
    assert await limiter.arrive("one", limit) == SECOND


async def test_a_client_with_its_whole_burst_is_forgotten() -> None:
    clock = ManualSeconds(1000.0)
    limiter = LocalLimiter(clock)
    for number in range(1000):
        await limiter.arrive(f"client {number}", DEFAULT)
    assert len(limiter) == 1000
    clock.now += 0.1
    await limiter.arrive("another", DEFAULT)
    assert len(limiter) == 1


async def test_a_million_clients_at_once_have_their_bound() -> None:
    limiter = LocalLimiter(ManualSeconds(1000.0), max_clients=5000)
    most = 0
    for number in range(1_000_000):
        await limiter.arrive(str(number), DEFAULT)
        most = max(most, len(limiter))
    assert most == 5000
    slow = Limit(1, 1)
    assert await limiter.arrive("slow", slow) == 0
    assert await limiter.arrive("slow", slow) > 0  # what is remembered still counts


async def test_a_client_that_keeps_asking_is_not_the_one_forgotten() -> None:
    limiter = LocalLimiter(ManualSeconds(1000.0), max_clients=10)
    limit = Limit(0.001, 1)
    await limiter.arrive("greedy", limit)
    for number in range(100):
        await limiter.arrive(str(number), limit)
        assert await limiter.arrive("greedy", limit) > 0


@pytest.mark.parametrize(("rate", "interval"), [(10, 100_000), (0.001, 1_000_000_000), (100_000, 10)])
def test_the_interval_between_requests(rate: float, interval: int) -> None:
    assert Limit(rate, 1).interval == interval
