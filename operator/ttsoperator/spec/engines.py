"""The API's texts about engines, their enum and their CEL rules, all derived from the catalogue."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from ttscontract.engines import ENGINES, Engine
from ttscontract.words import one_of
from ttsoperator.spec.base import rule

if TYPE_CHECKING:
    EngineName = str
else:  # pydantic turns it into the schema's enum; mypy rejects a Literal with computed values
    EngineName = Literal[tuple(engine.name for engine in ENGINES)]

NAMES: Final = one_of(engine.name for engine in ENGINES)
_BUILT_IN: Final = {engine.builtin: engine.name for engine in ENGINES if engine.builtin}
BUILTIN_SOURCES: Final = tuple(_BUILT_IN)


def engine_of(name: str | None, source: str) -> Engine | None:
    """Return the engine that the spec names, else the engine of the source's built-in model."""
    return next(
        (engine for engine in ENGINES if (engine.builtin == source if name is None else engine.name == name)), None
    )


def engine_text() -> str:
    """Return the description of spec.engine."""
    choice = one_of(f"{engine.name} ({engine.summary})" for engine in ENGINES)
    return f"Engine that runs the model: {choice}. Required unless the source is {one_of(BUILTIN_SOURCES)}."


def gpus_text() -> str:
    """Return the description of spec.gpu and of its count."""
    defaults = ", ".join(f"{engine.name} {engine.gpus}" for engine in ENGINES)
    return f"GPUs of each worker; when absent, the engine's default ({defaults})."


def resources_text() -> str:
    """Return the description of spec.resources."""
    defaults = "; ".join(
        f"{engine.name}: requests {amounts(engine.requests)}, limits {amounts(engine.limits)}" for engine in ENGINES
    )
    return f"Compute resources of each worker. They replace all of the engine's defaults ({defaults})."


def amounts(resources: Mapping[str, str]) -> str:
    """Return resources in words: `cpu 1, memory 3Gi`."""
    return ", ".join(f"{name} {quantity}" for name, quantity in resources.items())


def engine_rules() -> tuple[dict[str, str], ...]:
    """Return the rules that tie an engine to a source."""
    sources = "; ".join(f"{source} needs the engine {name}" for source, name in _BUILT_IN.items())
    return (
        rule(
            f"has(self.engine) || self.model.source in {list(BUILTIN_SOURCES)}",
            f"spec.engine is required: set the engine that runs the model at spec.model.source, {NAMES}",
            field=".engine",
        ),
        rule(
            f"!has(self.engine) || self.engine == {_builtin_engine()} || "
            f"!(self.model.source in {list(BUILTIN_SOURCES)})",
            f"{sources}: remove spec.engine",
            field=".engine",
        ),
    )


def gpu_count() -> str:
    """Return the CEL expression for the number of GPUs of each worker."""
    engine = f"self.?engine.orValue({_builtin_engine()})"
    cases = [f"{engine} == '{each.name}' ? {each.gpus} : " for each in ENGINES if each.gpus]
    return f"self.?gpu.?count.orValue({''.join(cases)}0)"


def _builtin_engine() -> str:
    """Return the CEL expression for the engine of the source's built-in model."""
    (_, first), *others = _BUILT_IN.items()
    cases = "".join(f"self.model.source == '{source}' ? '{name}' : " for source, name in others)
    return f"({cases}'{first}')" if cases else f"'{first}'"
