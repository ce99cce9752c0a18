"""Engines turn sentences into audio.

Ours are the rows of the engine catalogue. Another package registers its own in the entry-point group
`ttsworker.engines`.
"""

from importlib.metadata import EntryPoint, entry_points

from ttscontract.engines import ENGINES
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
    """Return the engine's class; raises EngineUnavailable when it is unknown."""
    engines = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    engines |= {engine.name: EntryPoint(engine.name, engine.module, GROUP) for engine in ENGINES}
    if name not in engines:
        message = f"unknown engine {name!r}; the engines are {', '.join(sorted(engines))}"
        raise EngineUnavailable(message)
    engine: type[Engine] = engines[name].load()
    return engine
