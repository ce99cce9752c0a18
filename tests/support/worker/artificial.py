"""An engine for tests of everything around engines: it speaks when it is told to, and fails when the text says so."""

import math
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from ttsworker.engines import Audio, EngineOptions, Unspeakable, Utterance, Voice

PROBE = "probe"
SECONDS_PER_CHARACTER = 0.02


class ArtificialEngine:
    """Speaks a tone whose length and pitch are the text's.

    While `gate` is not set every sentence but the probe waits for it; with HOLD in its text it waits for `held`.
    Without `flowing` the probe waits as well: the engine is stuck. A text with FAIL in it raises, with NAN gives
    samples that are none, with SKIP gives none, with UNSPEAKABLE is refused. The next `failures` sentences fail.
    The second half of a sentence that is not merged waits for `flowing_on`. Audio is `stretch` times as long as it
    should be. The characters of `unknown` are left out.
    """

    model_name = "artificial"
    revision = "1"
    device = "cpu"
    sample_rate = 24_000
    max_batch_size = 1
    max_characters = 250
    streams = False
    pause_seconds = 0.0
    reads_signs = False
    voices: Sequence[Voice] = (Voice("one", "en"), Voice("two", "de"))
    languages: Sequence[str] = ("en", "de")
    probe = Utterance(PROBE * 10, "one")

    def __init__(
        self,
        options: EngineOptions | None = None,
        *,
        parallelism: int = 1,
        max_batch_size: int = 1,
        seconds_per_character: float = SECONDS_PER_CHARACTER,
    ) -> None:
        self.options = options
        self.seconds_per_character = seconds_per_character
        self.parallelism = parallelism
        self.max_batch_size = max_batch_size
        self.gate = threading.Event()
        self.gate.set()
        self.held = threading.Event()
        self.flowing = threading.Event()
        self.flowing.set()
        self.flowing_on = threading.Event()
        self.flowing_on.set()
        self.failures = 0
        self.unknown = ""
        self.silent = False
        self.stretch = 1.0
        self.begun: list[str] = []
        self.batches: list[int] = []
        self.threads: set[str] = set()
        self.closed = False

    def load(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def peak_gpu_memory(self) -> int | None:
        return None

    def unspoken(self, utterance: Utterance) -> str:
        return "".join(character for character in utterance.text if character in self.unknown)

    def estimate_seconds(self, utterance: Utterance) -> float:
        return len(utterance.text) / 15 / utterance.speed

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        self.batches.append(len(batch))
        return [self._speak(utterance) for utterance in batch]

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        first, second = np.array_split(self._speak(utterance), 2)
        yield first
        self.flowing_on.wait()
        yield second

    def _speak(self, utterance: Utterance) -> Audio:
        is_probe = utterance == self.probe
        if not is_probe:
            self.begun.append(utterance.text)
            self.threads.add(threading.current_thread().name)
            self.gate.wait()
            if "HOLD" in utterance.text:
                self.held.wait()
        self.flowing.wait()
        if self.failures and not is_probe:
            self.failures -= 1
            raise RuntimeError("fails for a while")
        if "FAIL" in utterance.text:
            raise RuntimeError("told to fail")
        if "UNSPEAKABLE" in utterance.text:
            raise Unspeakable("told to refuse")
        if "SKIP" in utterance.text:
            return np.zeros(0, np.float32)
        audio = tone(utterance, self.seconds_per_character * self.stretch)
        if self.silent:
            audio *= 0
        if "NAN" in utterance.text:
            audio[-1] = math.nan
        return audio


def tone(utterance: Utterance, seconds_per_character: float = SECONDS_PER_CHARACTER) -> Audio:
    samples = round(len(utterance.text) * seconds_per_character / utterance.speed * ArtificialEngine.sample_rate)
    pitch = 200 + sum(map(ord, utterance.text + utterance.voice)) % 800
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(samples) / ArtificialEngine.sample_rate)
    return wave.astype(np.float32)
