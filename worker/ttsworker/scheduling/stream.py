"""One request's audio while it is being made."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttsworker.audio import Pcm
from ttsworker.engines import Utterance


class Cancelled(Exception):
    """The stream was closed before its audio was complete."""


class Interrupted(Exception):
    """The worker ended before the audio was complete."""


@dataclass(frozen=True)
class Sentence:
    """A sentence to speak, with its audio where that is known already."""

    utterance: Utterance
    audio: Pcm | None = None


class Stream:
    """Pieces of audio in order, for one reader. Close it, whatever happens: that drops what was not started.

    Everything here runs in the event loop; only `closed` and `characters` are read by other threads too.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        pause: Pcm,
        sample_rate: int,
        *,
        taken: Callable[[], None],
        closing: Callable[[], None],
    ) -> None:
        self.remaining = deque(sentences)
        self.characters = sum(len(each.utterance.text) for each in sentences if each.audio is None)
        self.submitted = time.monotonic()
        self.started: float | None = None
        self.samples = 0
        self.buffered = 0
        self.dry_at = 0.0
        """When all there is so far will have been heard by one who listens to it, on the clock of time.monotonic."""
        self.in_flight = False
        self.closed = False
        self.complete = False
        self._pause = pause
        self._sample_rate = sample_rate
        self._pause_due = False
        self._taken = taken
        self._closing = closing
        self._pieces: deque[Pcm] = deque()
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Pcm:
        """Return the next piece; raises what the engine raised, or Cancelled."""
        while not self._pieces:
            if self.closed:
                raise Cancelled
            if self._error:
                raise self._error
            if self.complete:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self.buffered -= len(piece)
        self._taken()
        return piece

    def close(self) -> None:
        """Drop what has not been spoken or read yet."""
        if not self.closed:
            self.closed = True
            self._pieces.clear()
            self._changed.set()
            self._closing()

    def come_last(self) -> None:
        """Forget how long it has been dry: who gets a place comes after those who have been dry with one."""
        self.dry_at = max(self.dry_at, time.monotonic())

    def begin(self) -> Sentence:
        """Take the next sentence, to be spoken now."""
        self.in_flight = True
        return self._take()

    def put_known(self) -> None:
        """Put the sentences whose audio is known, up to the first that must be spoken."""
        while self.remaining and (audio := self.remaining[0].audio) is not None:
            self._take()
            self.put(audio)

    def put(self, piece: Pcm) -> None:
        """Add a piece to the end."""
        if self.closed or not len(piece):
            return
        if self._pause_due:
            self._pause_due = False
            self._append(self._pause)
        self._append(piece)
        self._changed.set()

    def finish(self) -> None:
        """Say that there is no more to come."""
        self.complete = True
        self._changed.set()

    def fail(self, error: BaseException) -> None:
        """Let the reader get this error after what was put before."""
        if not self.complete and self._error is None:
            self._error = error
            self._changed.set()

    def _take(self) -> Sentence:
        """Take the next sentence; its first audio comes after a pause, where there was audio before."""
        sentence = self.remaining.popleft()
        self._pause_due = self.samples > 0
        if sentence.audio is None:
            self.characters -= len(sentence.utterance.text)
        return sentence

    def _append(self, piece: Pcm) -> None:
        if len(piece):
            self._pieces.append(piece)
            self.buffered += len(piece)
            self.samples += len(piece)
            self.dry_at = max(self.dry_at, time.monotonic()) + len(piece) / self._sample_rate
