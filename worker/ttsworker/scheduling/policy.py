"""Whose sentence is spoken next: bookkeeping only, without a thread or an engine."""

from collections import deque
from collections.abc import Iterator

from ttsworker.engines import Utterance
from ttsworker.scheduling.stream import Stream

LENGTH_RATIO = 2.0
"""In a batch the longest sentence has at most so many times the characters of the shortest: the rest is padding."""

SHORT = 40
"""Characters up to which all sentences count as equally long."""


class Turns:
    """`most` streams have a place and with it turn after turn; the others wait for one in the order they came.

    A stream that has spoken nothing yet goes before those that have, with a place or without, so that a short text
    never waits for the end of long ones. Nor do rows of short texts starve a long one: the others have a turn after
    `most` first sentences of streams with a place, and after each one of a stream that waits for its place. Of the
    others it is the turn of the one whose listener will run dry first, or has for the longest time.
    """

    def __init__(self, most: int) -> None:
        self.waiting: deque[Stream] = deque()
        self._most = most
        self._placed: set[Stream] = set()
        self._first: deque[Stream] = deque()
        self._later: deque[Stream] = deque()
        self._passed = 0  # how often the others were passed by, in a row

    def has_place(self, stream: Stream) -> bool:
        """Whether the stream has turn after turn: it neither waits nor stands back."""
        return stream in self._placed

    def in_row(self, stream: Stream) -> bool:
        """Whether the stream's next sentence is about to be taken."""
        return stream in self._first or stream in self._later

    def enter(self, stream: Stream) -> None:
        """Let a stream wait for its place."""
        self.waiting.append(stream)

    def enter_urgent(self, stream: Stream) -> None:
        """Give a stream a place beside those that are counted, and the very next turn."""
        self._placed.add(stream)
        self._first.appendleft(stream)

    def enter_again(self, stream: Stream) -> None:
        """Give a stream that stood back a place, be there one or not: it has waited before."""
        self._placed.add(stream)

    def admit(self) -> Iterator[Stream]:
        """Give places to those that wait, as far as there are any; yields them."""
        while self.waiting and len(self._placed) < self._most:
            stream = self.waiting.popleft()
            self._placed.add(stream)
            stream.come_last()
            yield stream

    def ready(self, stream: Stream) -> None:
        """Put a stream that has a sentence to speak at the end of the row."""
        (self._later if stream.samples else self._first).append(stream)

    def leave(self, stream: Stream) -> None:
        """Take a stream out, wherever it is."""
        self._placed.discard(stream)
        self._unready(stream)
        if stream in self.waiting:
            self.waiting.remove(stream)

    def next(self, like: Utterance | None = None) -> Stream | None:
        """Take the stream whose turn it is; with `like` the first whose sentence can share a batch with that one."""
        later = sorted(self._later, key=lambda stream: stream.dry_at)
        for stream in (*later, *self._first) if self._others_turn() else (*self._first, *later):
            if like is None or alike(stream.remaining[0].utterance, like):
                self._count(stream)
                self._unready(stream)
                return stream
        return None

    def next_is_settled(self) -> bool:
        """Whether the next one stays the next whoever comes: a first sentence of a stream with a place."""
        return bool(self._first) and self.has_place(self._first[0]) and not self._others_turn()

    def _others_turn(self) -> bool:
        return bool(self._later) and self._passed >= self._most

    def _count(self, stream: Stream) -> None:
        if stream in self._later or not self._later:
            self._passed = 0
        else:
            self._passed += 1 if self.has_place(stream) else self._most

    def equal(self, utterance: Utterance) -> Iterator[Stream]:
        """Take every stream that is about to speak this very sentence."""
        for stream in (*self._first, *self._later):
            if stream.remaining[0].utterance == utterance:
                self._unready(stream)
                yield stream

    def _unready(self, stream: Stream) -> None:
        for row in (self._first, self._later):
            if stream in row:
                row.remove(stream)


def alike(one: Utterance, other: Utterance) -> bool:
    """Whether two sentences can share a batch: same voice, language and speed, and about the same length."""
    if (one.voice, one.language, one.speed) != (other.voice, other.language, other.speed):
        return False
    shorter, longer = sorted((len(one.text), len(other.text)))
    return longer <= max(SHORT, LENGTH_RATIO * shorter)
