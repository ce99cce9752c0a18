"""The engine's threads, and what they are given: what waits is merged, without waiting for more to come.

Everything here runs in the event loop but `_speak`, which runs in the engine's threads.
"""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ttsworker.audio import Audio, Pcm, silence, to_pcm
from ttsworker.engines import Engine, Unspeakable, Utterance
from ttsworker.observe.metrics import Metrics
from ttsworker.scheduling.policy import Turns
from ttsworker.scheduling.sharing import Flight, Flights
from ttsworker.scheduling.stream import Interrupted, Sentence, Stream
from ttsworker.scheduling.threads import CallThreads
from ttsworker.scheduling.throughput import Pace

RETRY_SECONDS = (0.05, 0.2)
"""Pauses before a sentence at which the engine failed is tried again: what is passing, such as memory, passes soon."""

BUFFERED_SECONDS = 30.0
"""Audio that may lie ready for a slow reader before its request stands back for others; bounds the memory."""


class Scheduler:
    """`max_concurrency` streams take turns, and all others wait for that once their first sentence has been spoken.

    Up to `max_batch_size` sentences are spoken in one call.
    `spoken` is told every sentence that is complete, once, however many streams it went to.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        *,
        max_concurrency: int,
        max_batch_size: int = 1,
        pace: Pace | None = None,
        spoken: Callable[[Utterance, Pcm], None] | None = None,
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._pace = pace or Pace()
        self._spoken = spoken
        self._max_batch = min(max_batch_size, engine.max_batch_size)
        self._pause = silence(engine.pause_seconds, engine.sample_rate)
        self._max_buffered = round(BUFFERED_SECONDS * engine.sample_rate)
        self._turns = Turns(max_concurrency)
        self._flights = Flights()
        self._open: set[Stream] = set()
        self._wake = asyncio.Event()
        self._nothing_open = asyncio.Event()
        self._nothing_open.set()
        self._loop = asyncio.get_running_loop()
        self._threads = CallThreads("engine", engine.parallelism)
        self._progress: dict[int, float] = {}
        self._calls = 0
        # One more than threads, so that a sentence can lie ready for them: none waits for the event loop then.
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(engine.parallelism + 1)]

    @property
    def waiting(self) -> int:
        """Requests that wait for their place: nothing of them is spoken but the first sentence."""
        return len(self._turns.waiting)

    @property
    def waiting_seconds(self) -> float:
        """Audio that these have still to become, estimated."""
        return self._pace.audio_seconds(sum(stream.characters for stream in list(self._turns.waiting)))

    @property
    def backlog_seconds(self) -> float:
        """Audio not started yet, of all requests, estimated; asked from other threads too."""
        return self._pace.audio_seconds(sum(stream.characters for stream in list(self._open)))

    def stalled_seconds(self) -> float:
        """How long the call that gave nothing for the longest time has been silent; 0 when no call is running."""
        now = time.monotonic()
        return now - min(list(self._progress.values()), default=now)  # a copy: the metrics' thread asks too

    def submit(self, sentences: Sequence[Sentence], *, urgent: bool = False) -> Stream:
        """Queue a text's sentences; an urgent one starts beside the others and before them."""
        stream = Stream(
            sentences,
            self._pause,
            self._engine.sample_rate,
            taken=lambda: self._reader_took(stream),
            closing=lambda: self._forget(stream),
        )
        stream.put_known()
        if not stream.remaining:
            stream.finish()
            return stream
        self._open.add(stream)
        self._nothing_open.clear()
        if urgent:
            stream.started = stream.submitted
            self._turns.enter_urgent(stream)
            self._wake.set()
        else:
            self._turns.enter(stream)
            if not stream.samples:
                self._ready(stream)
            self._admit()
        return stream

    async def idle(self) -> None:
        """Wait until no request is open."""
        await self._nothing_open.wait()

    def interrupt(self) -> None:
        """Let every reader get Interrupted instead of the audio that is not there yet."""
        for stream in self._open:
            stream.fail(Interrupted())

    async def close(self, patience: float) -> bool:
        """Stop the threads; false when one of them has not come back from the engine in `patience` seconds."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._threads.stop()
        return self._threads.join(patience)

    def _forget(self, stream: Stream) -> None:
        """Take a stream out, whether it waits or has its turns."""
        self._close(stream)
        self._turns.leave(stream)
        self._admit()

    def _close(self, stream: Stream) -> None:
        self._open.discard(stream)
        if not self._open:
            self._nothing_open.set()

    def _reader_took(self, stream: Stream) -> None:
        """Let a stream have its turns again when its reader has caught up."""
        stands_back = stream in self._open and not (self._turns.has_place(stream) or stream in self._turns.waiting)
        if stands_back and stream.remaining and stream.buffered <= self._max_buffered:
            self._turns.enter_again(stream)
            self._ready(stream)

    def _admit(self) -> None:
        for stream in self._turns.admit():
            if not (stream.in_flight or self._turns.in_row(stream)):  # of its first sentence
                self._ready(stream)

    def _ready(self, stream: Stream) -> None:
        """Let a stream have its next turn: at once, where its sentence is being spoken for another."""
        if self._flights.join(stream):
            self._begun(stream)
        else:
            self._turns.ready(stream)
            self._wake.set()

    def _begun(self, stream: Stream) -> None:
        if stream.started is None:
            stream.started = time.monotonic()
            self._metrics.queue_wait.observe(stream.started - stream.submitted)

    async def _lane(self) -> None:
        while True:
            flights = await self._next_flights()
            error = await self._attempt(flights)
            if error:
                together = len(flights) > 1  # then it may have been one of them only
                for flight in flights:
                    if not flight.complete:
                        await self._speak_again(flight, None if together else error)
            for stream in self._flights.land(flights):
                self._end_turn(stream)
            for flight in flights:
                if flight.complete and self._spoken:
                    self._spoken(flight.utterance, flight.audio())

    async def _speak_again(self, flight: Flight, error: Exception | None) -> None:
        """Speak one sentence by itself, up to some times; what fails for good is told to those who wait for it."""
        for pause in RETRY_SECONDS:
            if error:
                if isinstance(error, Unspeakable) or flight.begun or flight.abandoned():
                    break
                await asyncio.sleep(pause)
            error = await self._attempt([flight])
            if not error:
                return
        if error:
            flight.fail(error)
            for stream in self._flights.land([flight]):  # nobody joins it from now on
                self._forget(stream)

    async def _attempt(self, flights: list[Flight]) -> Exception | None:
        self._calls += 1
        try:
            await self._threads.run(functools.partial(self._speak, flights))
        except Exception as error:  # noqa: BLE001 - whatever an engine raises ends these requests, not the worker
            return error
        finally:
            self._calls -= 1
            self._wake.set()
        return None

    async def _next_flights(self) -> list[Flight]:
        while not (flights := self._board(ahead=self._calls >= self._engine.parallelism)):
            self._wake.clear()
            await self._wake.wait()
        return flights

    def _board(self, *, ahead: bool) -> list[Flight]:
        """Take the sentences to speak in one call; equal ones share a flight.

        Ahead of time, while every thread is speaking, only a sentence that nothing can come before or be merged to.
        """
        flights: list[Flight] = []
        if ahead and not (self._max_batch == 1 and self._turns.next_is_settled()):
            return flights
        while len(flights) < self._max_batch:
            stream = self._turns.next(like=flights[0].utterance if flights else None)
            if stream is None:
                break
            flights.append(flight := self._flights.start(stream))
            self._begun(stream)
            for other in self._turns.equal(flight.utterance):
                self._flights.join(other)
                self._begun(other)
        return flights

    def _end_turn(self, stream: Stream) -> None:
        stream.in_flight = False
        waits = stream in self._turns.waiting
        if not (waits or self._turns.has_place(stream)):  # closed or failed meanwhile
            return
        stream.put_known()
        if stream.remaining and waits:
            return
        if stream.remaining and stream.buffered <= self._max_buffered:
            self._ready(stream)
            return
        self._turns.leave(stream)
        if not stream.remaining:
            stream.finish()
            self._close(stream)
        self._admit()

    def _speak(self, flights: list[Flight]) -> None:
        """Speak in the calling thread and hand the audio to the event loop, until nobody listens any more."""
        if all(flight.abandoned() for flight in flights):
            return
        thread = threading.get_ident()
        self._progress[thread] = time.monotonic()
        try:
            self._speak_now(thread, flights)
        finally:
            del self._progress[thread]

    def _speak_now(self, thread: int, flights: list[Flight]) -> None:
        started = time.perf_counter()
        samples = 0
        for flight, piece in self._pieces(flights):
            if not np.isfinite(piece).all():
                raise FloatingPointError("the model gave samples that are not numbers")
            samples += len(piece)
            self._progress[thread] = time.monotonic()
            self._loop.call_soon_threadsafe(self._deliver, flight, to_pcm(piece))
            if all(flight.abandoned() for flight in flights):
                return
        audio_seconds, work_seconds = samples / self._engine.sample_rate, time.perf_counter() - started
        self._metrics.synthesized(len(flights), audio_seconds, work_seconds)
        self._pace.note(sum(len(flight.utterance.text) for flight in flights), audio_seconds, work_seconds)

    def _pieces(self, flights: list[Flight]) -> Iterator[tuple[Flight, Audio]]:
        if len(flights) == 1:
            [flight] = flights
            for piece in self._engine.stream(flight.utterance):
                yield flight, piece
            flight.complete = True
        else:
            audio = self._engine.synthesize([flight.utterance for flight in flights])
            for flight, whole in zip(flights, audio, strict=True):
                yield flight, whole
                flight.complete = True

    def _deliver(self, flight: Flight, piece: Pcm) -> None:
        # A turn of the loop later, so that the engine has its next call before the readers have a last piece: it would
        # wait for all that they do with it.
        self._loop.call_soon(flight.put, piece)
