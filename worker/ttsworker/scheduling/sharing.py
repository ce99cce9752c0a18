"""In-flight sharing: the engine speaks a sentence once for all requests that want it at the same time."""

from collections.abc import Iterable, Iterator

import numpy as np

from ttsworker.audio import Pcm
from ttsworker.engines import Utterance
from ttsworker.scheduling.stream import Sentence, Stream


class SharedSynthesis:
    """One sentence on its way from the engine to the streams that want it."""

    def __init__(self, sentence: Sentence, stream: Stream) -> None:
        self.utterance = sentence.utterance
        self.estimated_seconds = sentence.estimated_seconds
        self.streams = [stream]
        self.complete = False
        self._pieces: list[Pcm] = []

    @property
    def begun(self) -> bool:
        """Whether some of its audio was delivered, so that the sentence cannot be tried again."""
        return bool(self._pieces)

    def fail(self, error: BaseException) -> None:
        """Give this error to every stream."""
        for stream in self.streams:
            stream.fail(error)

    def abandoned(self) -> bool:
        """Whether every stream is closed. It stays so; the engine's thread asks too."""
        return all(stream.closed for stream in self.streams)

    def join(self, stream: Stream) -> None:
        """Add a stream, which gets all the audio from the beginning."""
        for piece in self._pieces:
            stream.put(piece)
        self.streams.append(stream)

    def put(self, piece: Pcm) -> None:
        """Give a piece of audio to every stream."""
        self._pieces.append(piece)
        for stream in self.streams:
            stream.put(piece)

    def audio(self) -> Pcm:
        """Return all the audio so far."""
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)


class InFlight:
    """The sentences that the engine speaks now."""

    def __init__(self) -> None:
        self._by_utterance: dict[Utterance, SharedSynthesis] = {}

    def start(self, stream: Stream) -> SharedSynthesis:
        """Begin the stream's next sentence."""
        synthesis = SharedSynthesis(stream.begin(), stream)
        self._by_utterance[synthesis.utterance] = synthesis
        return synthesis

    def join(self, stream: Stream) -> bool:
        """Let the stream share its next sentence if it is in flight; returns whether it is."""
        synthesis = self._by_utterance.get(stream.remaining[0].utterance)
        if synthesis is None or synthesis.abandoned():  # the engine may be stopping an abandoned one
            return False
        stream.begin()
        synthesis.join(stream)
        return True

    def complete(self, syntheses: Iterable[SharedSynthesis]) -> Iterator[Stream]:
        """End these syntheses, whether they have all their audio or failed; yields their streams."""
        for synthesis in syntheses:
            if self._by_utterance.get(synthesis.utterance) is synthesis:
                del self._by_utterance[synthesis.utterance]
            yield from synthesis.streams
