"""The policy by itself: in simulated time, and through random lives of requests."""

from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from ttsworker.scheduling.policy import Entry, Queue, State

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


@dataclass(frozen=True)
class Line:
    text: str
    voice: str = "one"
    language: str | None = None
    speed: float = 1.0


class Request(Entry):
    """A text of several sentences, as a simulator would model it."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.lines = [Line(text) for text in texts]
        self.sentence = self.lines[0]

    def spoken(self, until: float, now: float) -> None:
        """Its next sentence is spoken: the listener has audio for some more seconds."""
        self.lines.pop(0)
        self.sentence = self.lines[0] if self.lines else None
        self.has_audio = True
        self.dry_at = max(self.dry_at, now) + until


def simulate(
    arrivals: list[tuple[float, Request]], *, max_running: int, work: float, audio: float
) -> Iterator[tuple[float, str]]:
    """Speak one sentence after another on one engine; yield when each ended. No clock but the argument `now`."""
    queue, now, arrivals = Queue[Request](max_running), 0.0, sorted(arrivals, key=lambda arrival: arrival[0])
    while arrivals or queue.open:
        while arrivals and arrivals[0][0] <= now:
            _, request = arrivals.pop(0)
            queue.enter(request)
            queue.make_ready(request)
            queue.admit(now)
        chosen = queue.next()
        if chosen is None:
            now = arrivals[0][0]
            continue
        now += work
        yield now, chosen.lines[0].text
        chosen.spoken(audio, now)
        if not chosen.lines:
            queue.finish(chosen)
        elif chosen.state is State.RUNNING:
            queue.make_ready(chosen)
        for admitted in queue.admit(now):
            if not queue.is_ready(admitted):
                queue.make_ready(admitted)


def test_the_policy_runs_in_simulated_time() -> None:
    long, other, short = Request("a0", "a1", "a2"), Request("b0", "b1"), Request("short")
    spoken = list(simulate([(0, long), (0.5, other), (2.5, short)], max_running=2, work=1, audio=5))
    assert spoken == [(1, "a0"), (2, "b0"), (3, "a1"), (4, "short"), (5, "b1"), (6, "a2")]


def test_a_thousand_requests_need_no_event_loop() -> None:
    requests = [(0.1 * number, Request(*(f"{number}.{part}" for part in range(3)))) for number in range(1000)]
    spoken = [text for _, text in simulate(requests, max_running=8, work=0.02, audio=2)]
    assert sorted(spoken) == sorted(f"{number}.{part}" for number in range(1000) for part in range(3))


class Lives(RuleBasedStateMachine):
    """Random lives of requests: whatever happens, states move along allowed ways and the queue keeps its books."""

    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.queue: Queue[Request] = Queue(2)
        self.seen: dict[Request, State] = {}
        self.now = 0.0

    @rule(target=entries, urgent=st.booleans())
    def enter(self, *, urgent: bool) -> Request:
        entry = Request("x", "y", "z")
        self.seen[entry] = State.DONE
        if urgent:
            self.queue.enter_urgent(entry)
        else:
            self.queue.enter(entry)
            self.queue.make_ready(entry)
        return entry

    @rule()
    def admit(self) -> None:
        before = sum(entry.state is State.RUNNING for entry in self.seen)
        admitted = self.queue.admit(self.now)
        assert len(admitted) <= max(0, 2 - before)
        for entry in admitted:
            if not self.queue.is_ready(entry):
                self.queue.make_ready(entry)

    @rule()
    def speak(self) -> None:
        ready = [entry for entry in self.seen if self.queue.is_ready(entry)]
        entry = self.queue.next()
        assert (entry is None) == (not ready)
        if entry is not None:
            assert entry in ready
            assert not self.queue.is_ready(entry)
            self.now += 1
            entry.spoken(1.0, self.now)
            if entry.sentence is None:
                self.queue.finish(entry)
            elif entry.state is State.RUNNING:
                self.queue.make_ready(entry)

    @precondition(lambda self: any(entry.state is State.RUNNING for entry in self.seen))
    @rule(data=st.data())
    def preempt(self, data: st.DataObject) -> None:
        running = [entry for entry in self.seen if entry.state is State.RUNNING]
        self.queue.preempt(data.draw(st.sampled_from(running)))

    @precondition(lambda self: any(entry.state is State.PREEMPTED for entry in self.seen))
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from([entry for entry in self.seen if entry.state is State.PREEMPTED]))
        self.queue.resume(entry)
        self.queue.make_ready(entry)

    @rule(entry=consumes(entries))
    def leave(self, entry: Request) -> None:
        self.queue.finish(entry)
        self.queue.finish(entry)

    @invariant()
    def states_move_along_allowed_ways(self) -> None:
        for entry, before in self.seen.items():
            assert entry.state is before or (before, entry.state) in ALLOWED
            self.seen[entry] = entry.state

    @invariant()
    def the_books_are_kept(self) -> None:
        assert self.queue.waiting == [entry for entry in self.queue.open if entry.state is State.WAITING]
        assert set(self.queue.open) == {entry for entry in self.seen if entry.state is not State.DONE}
        for entry in self.seen:
            if self.queue.is_ready(entry):
                assert entry.state in {State.WAITING, State.RUNNING}


Lives.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestLives = Lives.TestCase
