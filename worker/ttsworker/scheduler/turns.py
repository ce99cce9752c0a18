"""Whose sentence is spoken next: bookkeeping only, without a clock, a thread or an engine."""

from collections import deque
from collections.abc import Iterator

from ttsworker.requests import Utterance
from ttsworker.scheduler.stream import Stream

LENGTH_RATIO = 2.0
"""In a batch the longest sentence has at most so many times the characters of the shortest: the rest is padding."""

SHORT = 40
"""Characters up to which all sentences count as equally long."""


class Turns:
    """At most `most` streams have turns, a sentence each; the others wait in the order they came.

    A stream that has spoken nothing yet goes before those that have, so that a short text never waits for the end of a
    long one. After `most` of those one of the others has its turn: a row of short texts does not starve a long one.
    """

    def __init__(self, most: int) -> None:
        self.waiting: deque[Stream] = deque()
        self._most = most
        self._having: set[Stream] = set()
        self._first: deque[Stream] = deque()
        self._later: deque[Stream] = deque()
        self._firsts_in_a_row = 0

    def has(self, stream: Stream) -> bool:
        """Whether the stream has turns: it waits no more and does not stand back."""
        return stream in self._having

    def enter(self, stream: Stream) -> None:
        """Let a stream wait for its turns."""
        self.waiting.append(stream)

    def enter_urgent(self, stream: Stream) -> None:
        """Give a stream the very next turn, beside those that are counted."""
        self._having.add(stream)
        self._first.appendleft(stream)

    def admit(self) -> Iterator[Stream]:
        """Give turns to those that wait, as far as there is room; yields them, to be made ready."""
        while self.waiting and len(self._having) < self._most:
            stream = self.waiting.popleft()
            self._having.add(stream)
            yield stream

    def ready(self, stream: Stream) -> None:
        """Put a stream that has a sentence to speak at the end of the row."""
        self._having.add(stream)
        (self._later if stream.samples else self._first).append(stream)

    def leave(self, stream: Stream) -> None:
        """Take a stream out, wherever it is."""
        self._having.discard(stream)
        self._unready(stream)
        if stream in self.waiting:
            self.waiting.remove(stream)

    def next(self, like: Utterance | None = None) -> Stream | None:
        """Take the stream whose turn it is; with `like` the first whose sentence can share a batch with that one."""
        others_turn = self._firsts_in_a_row >= self._most
        for stream in (*self._later, *self._first) if others_turn else (*self._first, *self._later):
            if like is None or alike(stream.remaining[0].utterance, like):
                self._firsts_in_a_row = self._firsts_in_a_row + 1 if stream in self._first and self._later else 0
                self._unready(stream)
                return stream
        return None

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
