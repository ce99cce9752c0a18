"""Calls of the engine, in threads of their own: the only part of the scheduler outside the event loop."""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from ttsworker.audio import Audio, Pcm, to_pcm
from ttsworker.engines import Engine
from ttsworker.scheduling.sharing import SharedSynthesis
from ttsworker.scheduling.threads import CallThreads

OnCalled = Callable[[list[SharedSynthesis], float, float], None]
"""Called in the engine's thread after a call: its sentences, the seconds of audio and the seconds of work."""


class EngineCalls:
    """Speaks batches in as many threads as the engine allows, and hands each piece to the event loop."""

    def __init__(self, engine: Engine, on_called: OnCalled, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._on_called = on_called
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._threads = CallThreads("engine", engine.parallelism)
        self._last_piece: dict[int, float] = {}
        self.running = 0

    async def speak(self, batch: list[SharedSynthesis]) -> None:
        """Speak a batch in one call, until nobody listens any more; raises whatever the engine raises."""
        self.running += 1
        try:
            await self._threads.run(functools.partial(self._call, batch))
        finally:
            self.running -= 1

    def stalled_seconds(self) -> float:
        """Return how long the call that is silent for the longest time has given no audio; 0 without a call."""
        now = self._clock()
        return now - min(list(self._last_piece.values()), default=now)  # a copy: other threads ask too

    def stop(self) -> None:
        """End the threads after the calls that run."""
        self._threads.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the threads' end, at most `timeout` seconds; false when the engine has not returned."""
        return self._threads.join(timeout)

    def _call(self, batch: list[SharedSynthesis]) -> None:
        if _abandoned(batch):
            return
        thread = threading.get_ident()
        self._last_piece[thread] = self._clock()
        try:
            self._speak(thread, batch)
        finally:
            del self._last_piece[thread]

    def _speak(self, thread: int, batch: list[SharedSynthesis]) -> None:
        started = time.perf_counter()
        samples = 0
        for synthesis, piece in self._pieces(batch):
            if not np.isfinite(piece).all():
                raise FloatingPointError("the model gave samples that are not numbers")
            samples += len(piece)
            self._last_piece[thread] = self._clock()
            self._loop.call_soon_threadsafe(self._deliver, synthesis, to_pcm(piece))
            if _abandoned(batch):
                return
        self._on_called(batch, samples / self._engine.sample_rate, time.perf_counter() - started)

    def _pieces(self, batch: list[SharedSynthesis]) -> Iterator[tuple[SharedSynthesis, Audio]]:
        if len(batch) == 1:
            [synthesis] = batch
            for piece in self._engine.stream(synthesis.utterance):
                yield synthesis, piece
            synthesis.complete = True
        else:
            audio = self._engine.synthesize([synthesis.utterance for synthesis in batch])
            for synthesis, whole in zip(batch, audio, strict=True):
                yield synthesis, whole
                synthesis.complete = True

    def _deliver(self, synthesis: SharedSynthesis, piece: Pcm) -> None:
        # One turn of the loop later: so the engine gets its next call before readers work on this call's last piece.
        self._loop.call_soon(synthesis.put, piece)


def _abandoned(batch: list[SharedSynthesis]) -> bool:
    return all(synthesis.abandoned() for synthesis in batch)
