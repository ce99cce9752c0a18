"""Sentences that are being spoken: one flight for equal sentences, however many requests wait for it."""

from collections.abc import Iterator

import numpy as np

from ttsworker.audio import Pcm
from ttsworker.engines import Utterance
from ttsworker.scheduling.stream import Stream


class Flight:
    """One sentence on its way from the engine to all who asked for it."""

    def __init__(self, utterance: Utterance, stream: Stream) -> None:
        self.utterance = utterance
        self.streams = [stream]
        self.complete = False
        self._pieces: list[Pcm] = []

    @property
    def begun(self) -> bool:
        """Whether some of its audio is out, so that it cannot be spoken once more."""
        return bool(self._pieces)

    def fail(self, error: BaseException) -> None:
        """Let everybody get this error."""
        for stream in self.streams:
            stream.fail(error)

    def abandoned(self) -> bool:
        """Whether nobody listens any more; asked from the engine's thread. It never becomes false again."""
        return all(stream.closed for stream in self.streams)

    def join(self, stream: Stream) -> None:
        """Let one more stream have all the audio, from the beginning."""
        for piece in self._pieces:
            stream.put(piece)
        self.streams.append(stream)

    def put(self, piece: Pcm) -> None:
        """Hand a piece to everybody."""
        self._pieces.append(piece)
        for stream in self.streams:
            stream.put(piece)

    def audio(self) -> Pcm:
        """Return the whole of it."""
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)


class Flights:
    """Those that are under way."""

    def __init__(self) -> None:
        self._by_utterance: dict[Utterance, Flight] = {}

    def join(self, stream: Stream) -> bool:
        """Take the stream's next sentence along where it is under way; tells whether it is."""
        flight = self._by_utterance.get(stream.remaining[0].utterance)
        if flight is None or flight.abandoned():  # the engine may be stopping one that was abandoned
            return False
        stream.begin()
        flight.join(stream)
        return True

    def start(self, stream: Stream) -> Flight:
        """Take the stream's next sentence, which is to be spoken now."""
        utterance = stream.begin().utterance
        flight = self._by_utterance[utterance] = Flight(utterance, stream)
        return flight

    def land(self, flights: list[Flight]) -> Iterator[Stream]:
        """End these flights; yields the streams that were on them."""
        for flight in flights:
            if self._by_utterance.get(flight.utterance) is flight:
                del self._by_utterance[flight.utterance]
            yield from flight.streams
