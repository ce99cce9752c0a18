"""Which connection makes room for a new one, when none does, and how many there may be."""

import resource

import pytest

from tests.support.worker.manual_clock import ManualClock
from ttsworker.http import connection_limit
from ttsworker.http.connection_limit import GRACE_SECONDS, ConnectionLimit, most_connections
from ttsworker.observe.tally import LINE_SECONDS
from ttsworker.settings import Settings


class Held:
    evicted = False

    def evict(self) -> None:
        self.evicted = True


def test_the_one_that_is_idle_longest_makes_room() -> None:
    limit = ConnectionLimit(3, "API", ManualClock())
    first, second, third, fourth, fifth = connections = [Held() for _ in range(5)]
    for each in (first, second, third):
        limit.add(each)
    limit.set_busy(first)
    limit.set_busy(second)
    limit.set_idle(second)  # now it is idle after the third
    limit.add(fourth)
    assert [each.evicted for each in connections] == [False, False, True, False, False]
    limit.set_busy(third)  # it closes: it is not counted any more
    limit.set_idle(third)
    limit.add(fifth)
    assert [each.evicted for each in connections] == [False, True, True, False, False]
    assert len(limit) == 3
    for each in connections:
        limit.remove(each)
    assert len(limit) == 0


def test_while_all_are_busy_or_new_others_wait() -> None:
    clock = ManualClock()
    limit = ConnectionLimit(2, "API", clock)
    first, second = Held(), Held()
    for each in (first, second):
        assert limit.has_room()
        limit.add(each)
    assert not limit.has_room()  # their requests may be on their way
    clock.advance(GRACE_SECONDS)
    assert limit.has_room()
    limit.set_busy(first)
    limit.set_busy(second)
    clock.advance(3600)
    assert not limit.has_room()
    limit.set_idle(second)  # it has had its answer
    assert limit.has_room()
    limit.set_busy(second)
    limit.remove(first)
    assert limit.has_room()
    assert not first.evicted
    assert not second.evicted


def test_a_flood_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    limit = ConnectionLimit(1, "API", clock)
    limit.add(Held())
    for _ in range(2):
        for _ in range(1000):
            limit.add(Held())
        clock.advance(LINE_SECONDS)
    limit.add(Held())
    for _ in range(1000):
        assert not limit.has_room()
    lines = [(vars(line)["port"], vars(line)["limit"], vars(line)["replaced"]) for line in caplog.records]
    assert lines == [("API", 1, 1), ("API", 1, 1000), ("API", 1, 1000)]


def test_the_limit_follows_settings_and_file_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors = 1 << 20
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    settings = Settings(max_concurrency=10, max_queue_length=90)
    assert most_connections(settings) == connection_limit.SPARE_CONNECTIONS + 200
    descriptors = 1024
    assert most_connections(settings) == 512
    descriptors = resource.RLIM_INFINITY
    assert most_connections(settings) > 2000
