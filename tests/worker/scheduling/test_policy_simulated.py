"""The policy by itself: in simulated time, and through random lives of requests."""

import subprocess
import sys
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from tests.support.worker.simulated import Request, simulate
from ttsworker.scheduling.policy import UNREAD_SECONDS, Queue, State

ALLOWED = {
    (State.DONE, State.WAITING),
    (State.DONE, State.RUNNING),
    (State.WAITING, State.RUNNING),
    (State.WAITING, State.DONE),
    (State.RUNNING, State.PREEMPTED),
    (State.RUNNING, State.DONE),
    (State.PREEMPTED, State.RUNNING),
    (State.PREEMPTED, State.DONE),
}


def test_the_policy_runs_in_simulated_time() -> None:
    long, other, short = Request("a0", "a1", "a2"), Request("b0", "b1"), Request("short")
    spoken = list(simulate([(0, long), (0.5, other), (2.5, short)], max_running=2, work=1, audio=5))
    assert spoken == [(1, "a0"), (2, "b0"), (3, "a1"), (4, "short"), (5, "b1"), (6, "a2")]


def test_a_thousand_requests_need_no_event_loop() -> None:
    requests = [(0.1 * number, Request(*(f"{number}.{part}" for part in range(3)))) for number in range(1000)]
    spoken = [text for _, text in simulate(requests, max_running=8, work=0.02, audio=2)]
    assert sorted(spoken) == sorted(f"{number}.{part}" for number in range(1000) for part in range(3))


def test_the_policy_needs_nothing_of_the_worker() -> None:
    program = "import sys, ttsworker.scheduling.policy; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert not loaded & {"asyncio", "numpy", "threading"}
    assert {name for name in loaded if name.startswith("tts")} == {
        "ttsworker",
        "ttsworker.scheduling",
        "ttsworker.scheduling.fairness",
        "ttsworker.scheduling.policy",
    }


class Lives(RuleBasedStateMachine):
    """Random lives of requests: whatever happens, states move along allowed ways and the queue keeps its books."""

    clients: tuple[str, ...] = ("",)
    allowed = ALLOWED
    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.queue: Queue[Request] = Queue(2)
        self.seen: dict[Request, State] = {}
        self.in_flight: list[Request] = []
        self.first_was_passed = False
        self.now = 0.0

    def running(self) -> int:
        return sum(entry.state is State.RUNNING for entry in self.seen)

    def ready(self) -> list[Request]:
        return [entry for entry in self.seen if self.queue.is_ready(entry)]

    @rule(target=entries, urgent=st.booleans(), data=st.data())
    def enter(self, *, urgent: bool, data: st.DataObject) -> Request:
        entry = Request("x", "y", "z", client=data.draw(st.sampled_from(self.clients)))
        self.seen[entry] = State.DONE
        if urgent:
            self.queue.enter_urgent(entry)
        else:
            self.queue.enter(entry, self.now)
        return entry

    @rule()
    def take(self) -> None:
        ready = self.ready()
        entry = self.queue.next()
        assert (entry is None) == (not ready)
        if entry is not None:
            assert entry in ready
            assert not self.queue.is_ready(entry)
            passed = entry.has_audio and any(not other.has_audio for other in ready)
            assert not (passed and self.first_was_passed), "two later sentences in a row before a first one"
            self.first_was_passed = passed
            self.in_flight.append(entry)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), unread=st.sampled_from([0.0, 2 * UNREAD_SECONDS]))
    def end_sentence(self, data: st.DataObject, unread: float) -> None:
        entry = data.draw(st.sampled_from(self.in_flight))
        self.in_flight.remove(entry)
        self.now += 1
        before = self.running()
        entry.spoken(1.0, self.now)
        entry.unread_seconds = unread
        ready = self.queue.sentence_ended(entry, self.now)
        assert set(ready) <= set(self.ready())
        assert self.running() <= max(2, before)

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        if self.seen:
            entry = data.draw(st.sampled_from(list(self.seen)))
            entry.unread_seconds = 0.0
            preempted = entry.state is State.PREEMPTED
            assert self.queue.audio_read(entry) == ([entry] if preempted else [])

    @rule(entry=consumes(entries))
    def leave(self, entry: Request) -> None:
        before = self.running() - (entry.state is State.RUNNING)
        self.queue.finish(entry, self.now)
        assert self.running() <= max(2, before)
        assert self.queue.finish(entry, self.now) == []

    def teardown(self) -> None:
        """Whoever stays is served to the end, once every reader reads."""
        for entry in self.seen:
            entry.unread_seconds = 0.0
            self.queue.audio_read(entry)
        while self.queue.open:
            taken = self.in_flight.pop() if self.in_flight else self.queue.next()
            assert taken is not None, "a request is open, and the engine never speaks it"
            taken.spoken(1.0, self.now)
            self.queue.sentence_ended(taken, self.now)

    @invariant()
    def states_move_along_allowed_ways(self) -> None:
        for entry, before in self.seen.items():
            assert entry.state is before or (before, entry.state) in self.allowed
            self.seen[entry] = entry.state

    @invariant()
    def the_books_are_kept(self) -> None:
        assert self.queue.waiting == [entry for entry in self.queue.open if entry.state is State.WAITING]
        assert set(self.queue.open) == {entry for entry in self.seen if entry.state is not State.DONE}
        for entry in self.seen:
            if self.queue.is_ready(entry):
                assert entry.state in {State.WAITING, State.RUNNING}
                assert not entry.in_flight
                assert entry.sentence is not None


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLives = Lives.TestCase


class LivesOfSeveralClients(Lives):
    """The same, where clients take places from each other."""

    clients = ("one", "two", "three")
    allowed = ALLOWED | {(State.RUNNING, State.WAITING)}

    @invariant()
    def no_client_has_all_places_while_another_waits_after_its_sentence(self) -> None:
        running = Counter(entry.client for entry in self.seen if entry.state is State.RUNNING and not entry.urgent)
        fewest = min((running[entry.client] for entry in self.queue.waiting), default=len(self.seen))
        for entry in self.seen:
            if entry.state is State.RUNNING and not entry.urgent and fewest + 1 < running[entry.client]:
                assert entry.in_flight or self.queue.is_ready(entry), "it goes on without giving its place back"


LivesOfSeveralClients.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLivesOfSeveralClients = LivesOfSeveralClients.TestCase
