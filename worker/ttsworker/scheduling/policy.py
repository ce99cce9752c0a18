"""Which sentence the engine speaks next. Pure: no engine, thread or event loop, and the time comes from the caller.

So an autoscaling simulator can run the very same policy in simulated time.
"""

from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

from ttsworker.scheduling.fairness import Shares

LENGTH_RATIO = 2.0
"""In a batch the longest sentence has at most this many times the characters of the shortest: the rest is padding."""

SHORT = 40
"""Characters up to which all sentences count as equally long."""

UNREAD_SECONDS = 30.0
"""Audio that may wait for a slow reader before its request makes room for others; it bounds the memory."""


class State(Enum):
    """What the policy does with a request."""

    WAITING = "waiting"
    """It waits to run; meanwhile the engine speaks only its first sentence."""
    RUNNING = "running"
    """The engine speaks one of its sentences after another, in turn with the other running requests."""
    PREEMPTED = "preempted"
    """Its reader has enough audio for now, so another request runs instead."""
    DONE = "done"
    """It is not in the queue: it is complete, or nobody wants its audio any more."""


class Speakable(Protocol):
    """What the policy reads of a sentence: its text, and what must be equal in one batch."""

    @property
    def text(self) -> str:
        """What is spoken."""

    @property
    def voice(self) -> str:
        """Name of the voice."""

    @property
    def language(self) -> str | None:
        """Language, where the model has several."""

    @property
    def speed(self) -> float:
        """1 is normal."""


@dataclass(eq=False)
class Entry:
    """One request in the queue, which alone writes `state` and `in_flight`; the request keeps the rest up to date."""

    state: State = State.DONE
    in_flight: bool = False
    """Whether the engine speaks its sentence now."""
    sentence: Speakable | None = None
    """The next sentence to speak; None after the last one."""
    has_audio: bool = False
    """Whether some of its audio has been delivered."""
    unread_seconds: float = 0.0
    """Audio that was delivered and not yet read."""
    dry_at: float = 0.0
    """When its listener will have heard all the audio so far, on the caller's clock."""
    client: str = ""
    """Whose request it is: clients share the engine equally. It does not change while the request is in the queue."""
    urgent: bool = False
    """Whether it goes before all others, and belongs to no client."""


E = TypeVar("E", bound=Entry)


class Queue(Generic[E]):
    """The open requests, in the order in which they came. At most `max_running` of them run, urgent ones aside.

    A ready entry has a sentence that the engine may speak now. First sentences go before later ones, also those of
    requests that wait, so that a short text never waits for the end of long ones. They do not starve long texts: a
    later sentence is next after `max_running` first sentences of running requests, and after each first sentence of a
    waiting one. Among first sentences, and among later ones, those of the client that had least of the engine are next.
    Among a client's own, the first to come is the next first sentence; among later ones it is that of the listener who
    runs dry first, or has been dry longest. Clients also share the places of running requests: while another client
    has two fewer, a client's request goes back to wait after a sentence.

    Whatever changes the queue returns the entries that this made ready. `now` is the time on the caller's clock.
    """

    def __init__(self, max_running: int) -> None:
        self._max_running = max_running
        self._open: dict[E, None] = {}
        self._shares = Shares()
        self._running: Counter[str | None] = Counter()  # of each client; None is for urgent ones
        self._first: deque[E] = deque()
        self._later: deque[E] = deque()
        self._first_in_a_row = 0

    def __len__(self) -> int:
        """Count the entries that are not done."""
        return len(self._open)

    @property
    def open(self) -> list[E]:
        """Every entry that is not done, in the order in which they came."""
        return list(self._open)

    @property
    def waiting(self) -> list[E]:
        """The waiting entries, in the order in which they came."""
        return [entry for entry in list(self._open) if entry.state is State.WAITING]  # a copy: other threads ask too

    def enter(self, entry: E, now: float) -> list[E]:
        """Add an entry. It runs where the limit allows; else it waits, with its first sentence ready."""
        self._open[entry] = None
        self._shares.enter(entry.client)
        self._move(entry, State.WAITING)
        ready = [] if entry.has_audio else [self._make_ready(entry)]
        return ready + self._admit(now)

    def enter_urgent(self, entry: E) -> None:
        """Add an entry that runs whatever the limit is, and is ready before all others."""
        entry.urgent = True
        self._open[entry] = None
        self._move(entry, State.RUNNING)
        self._first.append(entry)

    def finish(self, entry: E, now: float) -> list[E]:
        """Remove an entry, and let waiting ones run; a second time without effect."""
        if entry not in self._open:
            return []
        del self._open[entry]
        self._move(entry, State.DONE)
        if not entry.urgent:
            self._shares.leave(entry.client)
        self._running += Counter()  # forgets clients without any
        return self._admit(now)

    def join(self, entry: E) -> None:
        """Note that a ready entry shares the audio of an equal sentence, which the engine speaks already."""
        self._take(entry)

    def sentence_ended(self, entry: E, now: float) -> list[E]:
        """Decide what an entry does after a sentence: end, go on waiting, speak on, or make room for others."""
        entry.in_flight = False
        if entry.sentence is None:
            return self.finish(entry, now)
        if entry.state is not State.RUNNING:
            return []
        if entry.unread_seconds > UNREAD_SECONDS:
            self._move(entry, State.PREEMPTED)
        elif self._has_more_than_its_share(entry):
            self._move(entry, State.WAITING)
        else:
            return [self._make_ready(entry)]
        return self._admit(now)

    def audio_read(self, entry: E) -> list[E]:
        """Let a preempted entry run again once its reader has caught up. No limit holds it: it has waited before."""
        if entry.state is not State.PREEMPTED or entry.unread_seconds > UNREAD_SECONDS:
            return []
        self._move(entry, State.RUNNING)
        return [self._make_ready(entry)]

    def is_ready(self, entry: E) -> bool:
        """Whether the entry waits for the engine to take its next sentence."""
        return entry in self._first or entry in self._later

    def next_batch(self, max_size: int) -> list[list[E]]:
        """Take the sentences for one call of the engine, at most `max_size` of them.

        Each comes with its entry and with every other entry that is ready to speak the very same sentence.
        """
        batch: list[list[E]] = []
        while len(batch) < max_size:
            entry = self.next(like=batch[0][0].sentence if batch else None)
            if entry is None:
                break
            batch.append([entry, *self._take_equal(entry.sentence)])
        return batch

    def next(self, like: Speakable | None = None) -> E | None:
        """Take the next entry; with `like`, the first one whose sentence can share a batch with that sentence."""

        def fits(entry: E) -> bool:
            return like is None or (entry.sentence is not None and alike(entry.sentence, like))

        first = min(filter(fits, self._first), key=self._turn, default=None)
        later = min(filter(fits, self._later), key=lambda entry: (self._turn(entry), entry.dry_at), default=None)
        entry = (later or first) if self._later_is_due() else (first or later)
        if entry is not None:
            self._count(entry)
            if not entry.urgent and entry.sentence is not None:
                self._shares.add(entry.client, len(entry.sentence.text) / entry.sentence.speed)
            self._take(entry)
        return entry

    def next_is_settled(self) -> bool:
        """Whether no request that comes now would change which entry is next."""
        if not self._first or self._later_is_due():
            return False
        entry = min(self._first, key=self._turn)
        return entry.state is State.RUNNING and (entry.urgent or self._shares.is_next(entry.client))

    def _admit(self, now: float) -> list[E]:
        """Let waiting entries run as far as the limit allows, first those of the client that has fewest.

        Whoever was dry while it waited comes after those who have been dry while they ran.
        """
        ready = []
        while self._running.total() < self._max_running and (waiting := self.waiting):
            entry = min(waiting, key=lambda each: (self._running[each.client], self._shares.work(each.client)))
            self._move(entry, State.RUNNING)
            entry.dry_at = max(entry.dry_at, now)
            if not (entry.in_flight or self.is_ready(entry)):  # with its first sentence
                ready.append(self._make_ready(entry))
        return ready

    def _make_ready(self, entry: E) -> E:
        (self._later if entry.has_audio else self._first).append(entry)
        return entry

    def _move(self, entry: E, state: State) -> None:
        """Change an entry's state: the only place that does."""
        owner = None if entry.urgent else entry.client
        if entry.state is State.RUNNING:
            self._running[owner] -= 1
        entry.state = state
        if state is State.RUNNING:
            self._running[owner] += 1
        elif state is not State.WAITING:
            self._unready(entry)

    def _has_more_than_its_share(self, entry: E) -> bool:
        """Whether a client that waits would still have no more running entries than this one's, in its place."""
        fewest = min((self._running[other.client] for other in self.waiting), default=self._max_running)
        return not entry.urgent and fewest + 1 < self._running[entry.client]

    def _turn(self, entry: E) -> float:
        """Return what is lowest for the entry that is next among its like."""
        return -1.0 if entry.urgent else self._shares.work(entry.client)

    def _later_is_due(self) -> bool:
        return bool(self._later) and self._first_in_a_row >= self._max_running

    def _count(self, entry: E) -> None:
        if entry in self._later or not self._later:
            self._first_in_a_row = 0
        else:
            self._first_in_a_row += 1 if entry.state is State.RUNNING else self._max_running

    def _take(self, entry: E) -> None:
        self._unready(entry)
        entry.in_flight = True

    def _take_equal(self, sentence: Speakable | None) -> list[E]:
        equal = [entry for entry in (*self._first, *self._later) if entry.sentence == sentence]
        for entry in equal:
            self._take(entry)
        return equal

    def _unready(self, entry: E) -> None:
        for ready in (self._first, self._later):
            if entry in ready:
                ready.remove(entry)


def alike(one: Speakable, other: Speakable) -> bool:
    """Whether two sentences can share a batch: same voice, language and speed, and about the same length."""
    if (one.voice, one.language, one.speed) != (other.voice, other.language, other.speed):
        return False
    shorter, longer = sorted((len(one.text), len(other.text)))
    return longer <= max(SHORT, LENGTH_RATIO * shorter)
