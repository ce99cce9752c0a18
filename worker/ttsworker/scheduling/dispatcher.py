"""Feeds the engine's threads from the queue and delivers the audio. Everything here runs in the event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ttsworker.audio import Pcm, silence
from ttsworker.engines import Engine, Unspeakable, Utterance
from ttsworker.scheduling.calls import EngineCalls
from ttsworker.scheduling.policy import Queue, State
from ttsworker.scheduling.sharing import InFlight, SharedSynthesis
from ttsworker.scheduling.stream import Interrupted, Sentence, Stream
from ttsworker.scheduling.throughput import Throughput

RETRY_SECONDS = (0.05, 0.2)
"""Pauses before the engine tries a sentence again: a temporary lack of memory, for example, is over soon."""


class Observer(Protocol):
    """Counts what the scheduler does: the worker's metrics."""

    def request_started(self, waited_seconds: float) -> None:
        """Count a request whose first sentence the engine takes now."""

    def synthesized(self, sentences: int, audio_seconds: float, work_seconds: float) -> None:
        """Count one call of the engine; called in the engine's thread."""


class Scheduler:
    """Speaks requests, sentence by sentence, in the order of the queue: `max_concurrency` of them run at once.

    Up to `max_batch_size` sentences share one call of the engine. `on_synthesized` gets every complete sentence once,
    however many streams share it. `clock` returns seconds; `sleep` waits for some.
    """

    def __init__(
        self,
        engine: Engine,
        observer: Observer,
        *,
        max_concurrency: int,
        max_batch_size: int = 1,
        throughput: Throughput | None = None,
        on_synthesized: Callable[[Utterance, Pcm], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._observer = observer
        self._throughput = throughput or Throughput()
        self._on_synthesized = on_synthesized
        self._clock = clock
        self._sleep = sleep
        self._max_batch = min(max_batch_size, engine.max_batch_size)
        self._pause = silence(engine.pause_seconds, engine.sample_rate)
        self._queue: Queue[Stream] = Queue(max_concurrency)
        self._in_flight = InFlight()
        self._wake = asyncio.Event()
        self._nothing_open = asyncio.Event()
        self._nothing_open.set()
        self._calls = EngineCalls(engine, self._called, clock)
        # One task more than threads: the next batch then lies ready, and no thread waits for the event loop.
        self._tasks = [asyncio.create_task(self._dispatch()) for _ in range(engine.parallelism + 1)]

    @property
    def waiting(self) -> int:
        """Requests that wait to run: the engine speaks at most the first sentence of each."""
        return len(self._queue.waiting)

    def waiting_for(self, client: str) -> tuple[int, float]:
        """Return the requests that wait, and their audio (estimated), as they count against a client's new request.

        Those of the one client that has most do not count against another that has none: it shares the engine with that
        client, however much waits.
        """
        waiting: dict[str, list[Stream]] = {}
        for stream in self._queue.waiting:
            waiting.setdefault(stream.client, []).append(stream)
        if client and waiting and client not in waiting:
            del waiting[max(waiting, key=lambda other: self._audio_seconds(waiting[other]))]
        counted = [stream for streams in waiting.values() for stream in streams]
        return len(counted), self._audio_seconds(counted)

    @property
    def backlog_seconds(self) -> float:
        """Audio of all requests that the engine has not begun, estimated; other threads ask too."""
        return self._audio_seconds(self._queue.open)

    def stalled_seconds(self) -> float:
        """Return how long the call that is silent for the longest time has given no audio; 0 without a call."""
        return self._calls.stalled_seconds()

    def submit(self, sentences: Sequence[Sentence], *, client: str = "", urgent: bool = False) -> Stream:
        """Queue the sentences of a client's text. An urgent one runs beside the others and before them."""
        stream = Stream(
            sentences,
            self._pause,
            self._engine.sample_rate,
            on_read=lambda: self._changed(self._queue.audio_read(stream)),
            on_closed=lambda: self._leave(stream),
            clock=self._clock,
            client=client,
        )
        stream.put_cached()
        if not stream.remaining:
            stream.finish()
            return stream
        self._nothing_open.clear()
        if urgent:
            stream.started = stream.submitted
            self._queue.enter_urgent(stream)
            self._wake.set()
        else:
            self._changed(self._queue.enter(stream, self._clock()))
        return stream

    async def idle(self) -> None:
        """Wait until no request is open."""
        await self._nothing_open.wait()

    def interrupt(self) -> None:
        """Raise Interrupted to every reader, after the audio that is there."""
        for stream in self._queue.open:
            stream.fail(Interrupted())

    async def close(self, exit_timeout: float) -> bool:
        """Stop the tasks and threads; false when the engine has not returned after `exit_timeout` seconds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._calls.stop()
        return self._calls.join(exit_timeout)

    def _audio_seconds(self, streams: Sequence[Stream]) -> float:
        return self._throughput.audio_seconds(sum(stream.estimated_seconds for stream in streams))

    def _changed(self, ready: Sequence[Stream]) -> None:
        """Follow a change of the queue: streams whose sentence is in flight share it at once, others wake a task."""
        for stream in ready:
            if self._in_flight.join(stream):
                self._queue.join(stream)
                self._note_start(stream)
        if ready:
            self._wake.set()
        if not len(self._queue):
            self._nothing_open.set()

    def _leave(self, stream: Stream) -> None:
        """Remove a stream from the queue, and let another one run."""
        self._changed(self._queue.finish(stream, self._clock()))

    def _note_start(self, stream: Stream) -> None:
        if stream.started is None:
            stream.started = self._clock()
            self._observer.request_started(stream.started - stream.submitted)

    async def _dispatch(self) -> None:
        while True:
            batch = await self._next_batch()
            if error := await self._attempt(batch):
                for synthesis in batch:
                    if not synthesis.complete:  # in a batch the error may be another sentence's
                        await self._speak_again(synthesis, error if len(batch) == 1 else None)
            for stream in self._in_flight.complete(batch):
                self._sentence_ended(stream)
            for synthesis in batch:
                if synthesis.complete and self._on_synthesized:
                    self._on_synthesized(synthesis.utterance, synthesis.audio())

    async def _next_batch(self) -> list[SharedSynthesis]:
        while not (batch := self._take_batch(ahead=self._calls.running >= self._engine.parallelism)):
            self._wake.clear()
            await self._wake.wait()
        return batch

    def _take_batch(self, *, ahead: bool) -> list[SharedSynthesis]:
        """Take the sentences of one call. Equal ones share a synthesis.

        Ahead of time, while every thread is in a call, only a sentence that no later request could come before or join.
        """
        if ahead and not (self._max_batch == 1 and self._queue.next_is_settled()):
            return []
        batch = []
        for first, *equal in self._queue.next_batch(self._max_batch):
            batch.append(self._in_flight.start(first))
            self._note_start(first)
            for stream in equal:
                self._in_flight.join(stream)
                self._note_start(stream)
        return batch

    async def _attempt(self, batch: list[SharedSynthesis]) -> Exception | None:
        try:
            await self._calls.speak(batch)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises ends these requests, not the worker
            return error
        finally:
            self._wake.set()
        return None

    async def _speak_again(self, synthesis: SharedSynthesis, error: Exception | None) -> None:
        """Speak one sentence alone, several times if need be; its streams get an error that stays."""
        for pause in RETRY_SECONDS:
            if error:
                if isinstance(error, Unspeakable) or synthesis.begun or synthesis.abandoned():
                    break
                await self._sleep(pause)
            error = await self._attempt([synthesis])
            if not error:
                return
        if error:
            synthesis.fail(error)
            for stream in self._in_flight.complete([synthesis]):  # no stream joins it from now on
                self._leave(stream)

    def _sentence_ended(self, stream: Stream) -> None:
        """Go on with what the cache has, then as the queue decides."""
        if stream.state is State.DONE:  # closed or failed meanwhile
            return
        stream.put_cached()
        if not stream.remaining:
            stream.finish()
        self._changed(self._queue.sentence_ended(stream, self._clock()))

    def _called(self, batch: list[SharedSynthesis], audio_seconds: float, work_seconds: float) -> None:
        self._observer.synthesized(len(batch), audio_seconds, work_seconds)
        estimated = sum(synthesis.estimated_seconds for synthesis in batch)
        self._throughput.observe(estimated, audio_seconds, work_seconds)
