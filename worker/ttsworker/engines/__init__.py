"""Engines turn sentences into audio. They are found through the entry-point group `ttsworker.engines`."""

from importlib.metadata import entry_points

from ttsworker.audio import Audio
from ttsworker.engines.errors import EngineUnavailable, GpuUnavailable, ModelError, ModelInvalid, Unspeakable
from ttsworker.engines.protocol import Engine, EngineOptions, Utterance, Voice

__all__ = [
    "Audio",
    "Engine",
    "EngineOptions",
    "EngineUnavailable",
    "GpuUnavailable",
    "ModelError",
    "ModelInvalid",
    "Unspeakable",
    "Utterance",
    "Voice",
    "find_engine",
]

GROUP = "ttsworker.engines"


def find_engine(name: str) -> type[Engine]:
    """Return the engine's class; raises EngineUnavailable when it is unknown or its packages are not installed."""
    found = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    if name not in found:
        message = f"there is no engine {name!r}; known are {', '.join(sorted(found))}"
        raise EngineUnavailable(message)
    engine: type[Engine] = found[name].load()
    return engine
