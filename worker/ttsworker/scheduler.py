"""Shares the engine among requests: one sentence of each in turn, so that a long text does not hold up a short one.

Everything here runs in the event loop but `_speak`, which runs in the engine's threads.
"""

import asyncio
import functools
import time
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from ttsworker.engines import Audio, Engine
from ttsworker.metrics import Metrics
from ttsworker.requests import Utterance
from ttsworker.threads import CallThread

Batch = list[tuple["Stream", Utterance]]

BUFFERED_SECONDS = 30.0
"""Audio that may lie ready for a slow reader before its request stands back for others; bounds the memory."""


class Cancelled(Exception):
    """The stream was closed before its audio was complete."""


class Interrupted(Exception):
    """The worker ended before the audio was complete."""


class Stream:
    """One request's audio while it is being made. Close it, whatever happens: that drops what was not started."""

    def __init__(self, utterances: Sequence[Utterance], scheduler: "Scheduler") -> None:
        self.remaining = deque(utterances)
        self.submitted = time.monotonic()
        self.samples = 0
        self.closed = False
        self.complete = False
        self.buffered = 0
        self.pause_due = False
        self._scheduler = scheduler
        self._pieces: deque[Audio] = deque()
        self._error: BaseException | None = None
        self._changed = asyncio.Event()

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Audio:
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
        self._scheduler.reader_took_from(self)
        return piece

    def close(self) -> None:
        """Drop what has not been spoken or read yet."""
        if not self.closed:
            self.closed = True
            self._pieces.clear()
            self._changed.set()
            self._scheduler.forget(self)

    def put(self, piece: Audio) -> None:
        """Add a piece to the end."""
        if len(piece) and not self.closed:
            self._pieces.append(piece)
            self.buffered += len(piece)
            self.samples += len(piece)
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


class Scheduler:
    """At most `max_concurrency` streams take turns; the others wait in the order they came."""

    def __init__(self, engine: Engine, metrics: Metrics, *, max_concurrency: int) -> None:
        self._engine = engine
        self._metrics = metrics
        self._max_concurrency = max_concurrency
        self._pause = np.zeros(round(engine.pause_seconds * engine.sample_rate), np.float32)
        self._max_buffered = round(BUFFERED_SECONDS * engine.sample_rate)
        self._open: set[Stream] = set()
        self._waiting: deque[Stream] = deque()
        self._turns: set[Stream] = set()  # started, and their readers keep up
        self._ready: deque[Stream] = deque()  # those of them that no thread is speaking
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._threads = [CallThread(f"engine-{number}") for number in range(engine.parallelism)]
        self._progress: dict[CallThread, float] = {}
        self._lanes = [asyncio.create_task(self._lane(thread)) for thread in self._threads]

    @property
    def waiting(self) -> int:
        """Requests not started yet."""
        return len(self._waiting)

    @property
    def waiting_characters(self) -> int:
        """Characters of text not started yet, of all requests."""
        return sum(len(item.text) for stream in [*self._waiting, *self._turns] for item in list(stream.remaining))

    def stalled_seconds(self) -> float:
        """How long the call that gave nothing for the longest time has been silent; 0 when no call is running."""
        now = time.monotonic()
        return now - min(list(self._progress.values()), default=now)  # a copy: the metrics' thread asks too

    def submit(self, utterances: Sequence[Utterance], *, urgent: bool = False) -> Stream:
        """Queue a text's sentences; an urgent one starts beside the others and before them."""
        stream = Stream(utterances, self)
        self._open.add(stream)
        if urgent:
            self._turns.add(stream)
            self._ready.appendleft(stream)
            self._wake.set()
        else:
            self._waiting.append(stream)
        self._start_waiting()
        return stream

    def interrupt(self) -> None:
        """Let every reader get Interrupted instead of the audio that is not there yet."""
        for stream in self._open:
            stream.fail(Interrupted())

    def forget(self, stream: Stream) -> None:
        """Take a closed stream out, whether it waits or has its turns."""
        self._open.discard(stream)
        if stream in self._waiting:
            self._waiting.remove(stream)
        if stream in self._ready:
            self._ready.remove(stream)
        self._turns.discard(stream)
        self._start_waiting()

    def reader_took_from(self, stream: Stream) -> None:
        """Let a stream have its turns again when its reader has caught up."""
        stands_back = stream.remaining and stream not in self._turns
        if stands_back and not stream.closed and stream.buffered <= self._max_buffered:
            self._turns.add(stream)
            self._ready.append(stream)
            self._wake.set()

    async def close(self, patience: float) -> bool:
        """Stop the threads; false when one of them has not come back from the engine in `patience` seconds."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        for thread in self._threads:
            thread.stop()
        deadline = time.monotonic() + patience
        return all(thread.join(max(0.0, deadline - time.monotonic())) for thread in self._threads)

    def _start_waiting(self) -> None:
        while self._waiting and len(self._turns) < self._max_concurrency:
            stream = self._waiting.popleft()
            self._metrics.queue_wait.observe(time.monotonic() - stream.submitted)
            self._turns.add(stream)
            self._ready.append(stream)
            self._wake.set()

    async def _lane(self, thread: CallThread) -> None:
        while True:
            batch = await self._next_batch()
            self._progress[thread] = time.monotonic()
            try:
                await thread.run(functools.partial(self._speak, thread, batch))
            except Exception as error:  # noqa: BLE001 - whatever an engine raises ends these requests, not the worker
                for stream, _ in batch:
                    stream.fail(error)
                    self.forget(stream)
            finally:
                del self._progress[thread]
            for stream, _ in batch:
                self._end_turn(stream)

    async def _next_batch(self) -> Batch:
        """Take the next sentences to speak in one call; merging by voice and length belongs here."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        batch: Batch = []
        while self._ready and len(batch) < self._engine.max_batch_size:
            stream = self._ready.popleft()
            stream.pause_due = stream.samples > 0
            batch.append((stream, stream.remaining.popleft()))
        return batch

    def _end_turn(self, stream: Stream) -> None:
        if stream not in self._turns:  # closed or failed meanwhile
            return
        if stream.remaining and stream.buffered <= self._max_buffered:
            self._ready.append(stream)
            return
        if not stream.remaining:
            stream.finish()
        self._turns.discard(stream)
        self._start_waiting()

    def _speak(self, thread: CallThread, batch: Batch) -> None:
        """Speak a batch in the calling thread and hand its audio to the event loop."""
        started = time.perf_counter()
        samples = 0
        for stream, piece in self._pieces(batch):
            if not np.isfinite(piece).all():
                raise FloatingPointError("the model gave samples that are not numbers")
            samples += len(piece)
            self._loop.call_soon_threadsafe(self._deliver, thread, stream, piece)
            if all(stream.closed for stream, _ in batch):
                return
        self._metrics.spoken(len(batch), samples / self._engine.sample_rate, time.perf_counter() - started)

    def _pieces(self, batch: Batch) -> Iterator[tuple[Stream, Audio]]:
        if len(batch) == 1:
            [(stream, utterance)] = batch
            for piece in self._engine.stream(utterance):
                yield stream, piece
        else:
            audio = self._engine.synthesize([utterance for _, utterance in batch])
            yield from zip((stream for stream, _ in batch), audio, strict=True)

    def _deliver(self, thread: CallThread, stream: Stream, piece: Audio) -> None:
        self._progress[thread] = time.monotonic()
        if stream.pause_due and len(piece):
            stream.put(self._pause)
            stream.pause_due = False
        stream.put(piece)
