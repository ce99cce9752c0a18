"""Requests as a simulator models them: no audio, no engine, no clock but the number that the caller gives."""

from collections.abc import Iterator
from dataclasses import dataclass

from ttsworker.scheduling.policy import Entry, Queue


@dataclass(frozen=True)
class Line:
    """A sentence."""

    text: str
    voice: str = "one"
    language: str | None = None
    speed: float = 1.0


class Request(Entry):
    """A text of several sentences, whose reader takes all the audio at once."""

    def __init__(self, *texts: str, voice: str = "one", client: str = "") -> None:
        super().__init__(client=client)
        self.lines = [Line(text, voice) for text in texts]
        self.sentence = self.lines[0]

    def spoken(self, audio_seconds: float, now: float) -> str:
        """Hear the next sentence, and return its text."""
        line = self.lines.pop(0)
        self.sentence = self.lines[0] if self.lines else None
        self.has_audio = True
        self.dry_at = max(self.dry_at, now) + audio_seconds
        return line.text


def speak(queue: Queue[Request], audio_seconds: float = 0.0, now: float = 0.0) -> str:
    """Speak the sentence that is next, up to its end."""
    entry = queue.next()
    assert entry is not None
    text = entry.spoken(audio_seconds, now)
    queue.sentence_ended(entry, now)
    return text


def simulate(
    arrivals: list[tuple[float, Request]], *, max_running: int, work: float, audio: float
) -> Iterator[tuple[float, str]]:
    """Speak one sentence after another on one engine; yield the time when each ended, and its text."""
    queue, now, arrivals = Queue[Request](max_running), 0.0, sorted(arrivals, key=lambda arrival: arrival[0])
    while arrivals or queue.open:
        while arrivals and arrivals[0][0] <= now:
            queue.enter(arrivals.pop(0)[1], now)
        if not queue.open:
            now = arrivals[0][0]
            continue
        now += work
        yield now, speak(queue, audio, now)
