"""The audio of one request, while the engine makes it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ttsworker.audio import Pcm, silence
from ttsworker.engines import Utterance
from ttsworker.scheduling.policy import Entry


class Cancelled(Exception):
    """The stream was closed before its audio was complete."""


class Interrupted(Exception):
    """The worker ended before the audio was complete."""

    def __init__(self) -> None:
        super().__init__("this worker is shutting down: try again, another one will answer")


@dataclass(frozen=True)
class Sentence:
    """A sentence to speak, with its audio where the cache has it."""

    utterance: Utterance
    audio: Pcm | None = None
    pause: float | None = None
    """Seconds of silence before it, in place of the engine's pause."""
    estimated_seconds: float = 0.0
    """What the engine expects of its audio."""


class Stream(Entry):
    """Pieces of audio in order, for one reader, who always closes it: that drops the sentences that did not begin.

    Everything here runs in the event loop; only `closed` and `estimated_seconds` are read by other threads too. `clock`
    returns seconds.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        pause: Pcm,
        sample_rate: int,
        *,
        on_read: Callable[[], None],
        on_closed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        client: str = "",
    ) -> None:
        super().__init__(client=client)
        self.remaining = deque(sentences)
        self.sentence = self._next_utterance()
        self.estimated_seconds = sum(each.estimated_seconds for each in sentences if each.audio is None)
        self.submitted = clock()
        self.started: float | None = None
        self.samples = 0
        self.closed = False
        self.complete = False
        self._pause = pause
        self._sample_rate = sample_rate
        self._due: Pcm | None = None  # the pause that comes before the next audio
        self._on_read = on_read
        self._on_closed = on_closed
        self._clock = clock
        self._pieces: deque[Pcm] = deque()
        self._unread = 0
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
        self._count_unread(-len(piece))
        self._on_read()
        return piece

    def close(self) -> None:
        """Drop the audio that was not read, and the sentences that did not begin."""
        if not self.closed:
            self.closed = True
            self._pieces.clear()
            self._changed.set()
            self._on_closed()

    def begin(self) -> Sentence:
        """Take the next sentence. A pause comes before its first audio, unless it is the first of all."""
        sentence = self.remaining.popleft()
        self.sentence = self._next_utterance()
        if self.samples:
            self._due = self._pause if sentence.pause is None else silence(sentence.pause, self._sample_rate)
        if sentence.audio is None:
            self.estimated_seconds = self.estimated_seconds - sentence.estimated_seconds if self.remaining else 0.0
        return sentence

    def put_cached(self) -> None:
        """Put the cached sentences, up to the first that the engine must speak."""
        while self.remaining and (audio := self.remaining[0].audio) is not None:
            self.begin()
            self.put(audio)

    def put(self, piece: Pcm) -> None:
        """Add a piece to the end."""
        if self.closed or not len(piece):
            return
        if self._due is not None:
            self._append(self._due)
            self._due = None
        self._append(piece)
        self._changed.set()

    def finish(self) -> None:
        """End the audio after the pieces that were put."""
        self.complete = True
        self._changed.set()

    def fail(self, error: BaseException) -> None:
        """Raise this error to the reader after the pieces that were put."""
        if not self.complete and self._error is None:
            self._error = error
            self._changed.set()

    def _next_utterance(self) -> Utterance | None:
        return self.remaining[0].utterance if self.remaining else None

    def _append(self, piece: Pcm) -> None:
        if len(piece):
            self._pieces.append(piece)
            self._count_unread(len(piece))
            self.samples += len(piece)
            self.has_audio = True
            self.dry_at = max(self.dry_at, self._clock()) + len(piece) / self._sample_rate

    def _count_unread(self, samples: int) -> None:
        self._unread += samples
        self.unread_seconds = self._unread / self._sample_rate
