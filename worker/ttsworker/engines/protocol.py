"""What an engine is: sentences in, audio out. The suite `ttsworker.conformance` holds engines to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ttscontract.engines import Precision
from ttsworker.audio import Audio

MAX_AUDIO_AT_ONCE = 30.0
"""Seconds of audio, estimated, that an engine makes in one inference: its memory grows with them. It cuts an utterance
that lasts longer, by its speed or by what its characters are called."""


@dataclass(frozen=True)
class Voice:
    """A voice of the model; the language is a BCP 47 tag if the model has it."""

    name: str
    language: str


@dataclass(frozen=True)
class Utterance:
    """One sentence and everything that decides how it sounds: equal utterances give equal audio."""

    text: str
    voice: str
    language: str | None = None
    speed: float = 1.0
    seed: int = 0
    owner: str = ""
    """The client whose requests alone share its audio: nobody else may notice that it was spoken. "" is everybody."""


@dataclass(frozen=True)
class EngineOptions:
    """What an engine gets: the folder of its model (None: its embedded voice) and what it may use."""

    model_dir: Path | None = None
    threads: int = 1
    precision: Precision = Precision.AUTO


class Engine(Protocol):
    """A model in memory. Everything but `load` is called only after `load`, and may be called from any thread."""

    model_name: str
    """The model's own name, for clients and metrics."""
    revision: str
    """Of everything but the model that decides how an utterance sounds: versions of libraries, device, precision."""
    device: str
    """cpu or cuda."""
    sample_rate: int
    """Samples per second."""
    parallelism: int
    """How many calls of synthesize or stream may run at once."""
    max_batch_size: int
    """How many utterances one call of synthesize speaks best; the worker gives it no more."""
    max_characters: int
    """The longest utterance; longer sentences are cut."""
    streams: bool
    """Whether `stream` has the first audio of an utterance long before the last."""
    pause_seconds: float
    """Silence to put between two sentences, 0 to 2."""
    reads_signs: bool
    """Whether it reads signs, money, units and the like itself, in all its languages: it then gets them as they are
    written, else in words."""
    voices: Sequence[Voice]
    """At least one, no two of a name; the first is the default."""
    languages: Sequence[str]
    """What `Utterance.language` may be; empty where there is nothing to choose."""
    probe: Utterance
    """About 30 characters that the model speaks audibly, for warming up and for the health check."""

    def __init__(self, options: EngineOptions) -> None: ...

    def load(self) -> None:
        """Read the model; takes seconds to minutes. Raises ModelError, whose line names the folder or the file."""

    def unspoken(self, utterance: Utterance) -> str:
        """Return the characters that it would leave out although a listener should hear them, in order.

        Called in the event loop for every sentence, so it must be fast: no reading rules, no model.
        """

    def estimate_seconds(self, utterance: Utterance) -> float:
        """Estimate the audio of an utterance: close to its phonemes divided by its speed, and never far below.

        Called in the event loop for every sentence, so it must be fast and linear: no reading rules, no model.
        """

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        """Speak each utterance whole, in order: no samples where a text has no sound. Raises Unspeakable."""

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """Speak an utterance in pieces, each as soon as it is ready. Raises Unspeakable.

        The iterator may be closed, or dropped, before its end: the client left.
        """

    def peak_gpu_memory(self) -> int | None:
        """Return the most bytes of GPU memory that this process has held; None where it uses no GPU."""

    def close(self) -> None:
        """Give the memory back."""
