"""Engines turn sentences into audio. They are found through the entry-point group `ttsworker.engines`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from ttsworker.audio import Audio
from ttsworker.requests import Utterance, Voice
from ttsworker.settings import Precision
from ttsworker.store import ModelError

__all__ = [
    "Audio",
    "Engine",
    "EngineOptions",
    "EngineUnavailable",
    "GpuUnavailable",
    "ModelInvalid",
    "Unspeakable",
    "find_engine",
]

GROUP = "ttsworker.engines"


class ModelInvalid(ModelError):
    """The model's files are whole but not a model that this engine speaks."""

    reason = "ModelInvalid"


class EngineUnavailable(ModelError):
    """The engine is not known, or not part of this image."""

    reason = "EngineUnavailable"


class GpuUnavailable(ModelError):
    """There is a GPU in the container that the engine cannot use."""

    reason = "GpuUnavailable"


class Unspeakable(Exception):
    """A text that this engine cannot read out; the request is wrong, not the engine."""


@dataclass(frozen=True)
class EngineOptions:
    """What an engine is told: where its model is (None: its embedded voice) and what it may use."""

    model_dir: Path | None = None
    threads: int = 1
    precision: Precision = "Auto"


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
    """How many utterances one call of synthesize takes at best."""
    max_characters: int
    """The longest utterance; longer sentences are cut."""
    streams: bool
    """Whether `stream` has the first audio of an utterance long before the last."""
    pause_seconds: float
    """Silence to put between two sentences."""
    voices: Sequence[Voice]
    """At least one; the first is the default."""
    languages: Sequence[str]
    """What `Utterance.language` may be; empty where there is nothing to choose."""
    probe: Utterance
    """About 30 characters that the model speaks audibly, for warming up and for the health check."""

    def __init__(self, options: EngineOptions) -> None: ...

    def load(self) -> None:
        """Read the model; takes seconds to minutes. Raises ModelError."""

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        """Speak each utterance whole. Raises Unspeakable."""

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        """Speak an utterance in pieces, each as soon as it is ready. Raises Unspeakable."""

    def peak_gpu_memory(self) -> int | None:
        """Return the most bytes of GPU memory that this process has held; None where it uses no GPU."""

    def close(self) -> None:
        """Give the memory back."""


def find_engine(name: str) -> type[Engine]:
    """Return the engine's class; raises EngineUnavailable when it is unknown or its packages are not installed."""
    found = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    if name not in found:
        message = f"there is no engine {name!r}; known are {', '.join(sorted(found))}"
        raise EngineUnavailable(message)
    engine: type[Engine] = found[name].load()
    return engine
