"""The circuit breaker: when a server is left alone, and for how long."""

from tests.support.worker.manual_clock import ManualSeconds
from ttsworker.redis.breaker import BackOff, CircuitBreaker


def breaker(clock: ManualSeconds, random: float = 0.0) -> CircuitBreaker:
    return CircuitBreaker(BackOff(first=1, longest=10), clock=clock, random=lambda: random)


def test_a_breaker_opens_at_the_first_failure_and_waits_twice_as_long_each_time() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    waits = []
    for _ in range(6):
        tried.failed()
        assert tried.is_open
        waits.append(tried.due_in())
        clock.now += tried.due_in()
        assert tried.due_in() == 0
    assert waits == [1, 2, 4, 8, 10, 10]


def test_an_attempt_that_succeeds_closes_it_and_only_success_makes_it_forget() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    tried.failed()
    tried.close()
    assert not tried.is_open
    tried.failed()
    assert tried.due_in() == 2
    tried.close()
    tried.succeeded()
    tried.failed()
    assert tried.due_in() == 1


def test_commands_that_fail_together_count_as_one_failure() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    for _ in range(50):
        tried.failed()
    assert tried.due_in() == 1
    clock.now += 1
    for _ in range(50):
        tried.failed()
    assert tried.due_in() == 2


def test_an_attempt_without_a_result_is_followed_by_another() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    tried.failed()
    clock.now += 1
    assert (tried.is_open, tried.due_in()) == (True, 0)
    clock.now += 1
    assert (tried.is_open, tried.due_in()) == (True, 0)


def test_success_closes_it() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    tried.failed()
    clock.now += 1
    tried.succeeded()
    assert not tried.is_open


def test_randomness_adds_up_to_a_quarter() -> None:
    tried = breaker(ManualSeconds(100.0), random=1.0)
    tried.failed()
    assert tried.due_in() == 1.25


def test_a_breaker_that_fails_for_years_still_waits_no_longer() -> None:
    clock = ManualSeconds(100.0)
    tried = breaker(clock)
    for _ in range(5000):
        tried.failed()
        clock.now += tried.due_in()
    tried.failed()
    assert tried.due_in() == 10
