"""How a model comes into memory and leaves it, and what is said of one that cannot be used."""

import gc
from pathlib import Path

import pytest

from ttscontract.engines import Precision
from ttscontract.reasons import Reason
from ttsworker.conformance.checks import check_same, speak, speak_streamed
from ttsworker.conformance.memory import resident_bytes
from ttsworker.engines import Engine, EngineOptions, ModelError

LOADS = 3
"""Engines that are loaded and closed one after another, to tell a leak from the first use of a library."""

NOISE_BYTES = 24 * 2**20
"""By which the memory of a process changes without any leak."""


def refusal(engine_class: type[Engine], options: EngineOptions) -> str | None:
    """Return in which words an engine refuses a model, None where it speaks; any other error ends the test."""
    try:
        engine = engine_class(options)
        engine.load()
    except ModelError as refused:
        error = refused
    else:
        speak(engine, engine.probe)
        engine.close()
        return None
    message = str(error)
    assert isinstance(error.reason, Reason), "the operator knows the reason from the contract"
    assert message.strip(), "an error says what to do"
    assert "\n" not in message, "an error is one line"
    return message


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_a_model_is_refused(engine_class: type[Engine], tmp_path: Path, folder: str) -> None:
    """The error is a ModelError that names the folder; no other voice speaks in its stead."""
    path = tmp_path / "a-model-that-is-not-there"
    if folder == "empty":
        path.mkdir()
    message = refusal(engine_class, EngineOptions(path))
    assert message is not None, "it loads a model from a folder that has none"
    assert path.name in message, f"the message does not name the folder: {message}"


def test_damaged_files_are_refused(engine_class: type[Engine], options: EngineOptions, tmp_path: Path) -> None:
    """The error is a ModelError that names the folder, or the file in it."""
    if options.model_dir is None:
        pytest.skip("the model is embedded: --model-dir names one in files")
    damaged = tmp_path / "a-damaged-model"
    files = [path for path in sorted(options.model_dir.rglob("*")) if path.is_file()]
    for path in files:
        copy = damaged / path.relative_to(options.model_dir)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"damaged")
    message = refusal(engine_class, EngineOptions(damaged))
    assert message is not None, "it loads a model from damaged files"
    names = {damaged.name, *(path.name for path in files)}
    assert any(name in message for name in names), f"the message names neither folder nor file: {message}"


def test_an_engine_without_a_folder_speaks_or_refuses(engine_class: type[Engine]) -> None:
    """Without a folder the embedded voice speaks; where there is none, a ModelError says so."""
    refusal(engine_class, EngineOptions())


@pytest.mark.parametrize("precision", Precision)
def test_a_precision_is_used_or_refused(
    engine_class: type[Engine], options: EngineOptions, precision: Precision
) -> None:
    """A number format that the engine cannot compute in is a ModelError, and Auto always works."""
    message = refusal(engine_class, EngineOptions(options.model_dir, options.threads, precision))
    assert precision is not Precision.AUTO or message is None, message


def test_closing_leaves_other_engines_alone(engine: Engine, engine_class: type[Engine], options: EngineOptions) -> None:
    """The worker closes a model while the next one speaks."""
    before = speak(engine, engine.probe)
    other = engine_class(options)
    other.load()
    speak(other, other.probe)
    other.close()
    check_same(speak_streamed(engine, engine.probe), before)


def test_closing_gives_the_memory_back(engine_class: type[Engine], options: EngineOptions) -> None:
    """A closed engine holds less than half of what it held: after a failover the next model needs the space."""
    closed: list[Engine] = []  # they stay: `close` gives the memory back, not the garbage collector

    def use() -> int:
        engine = engine_class(options)
        engine.load()
        speak(engine, engine.probe)
        peak = resident_bytes()
        engine.close()
        closed.append(engine)
        gc.collect()
        return peak

    use()
    before = resident_bytes()
    held = use() - before
    for _ in range(LOADS - 1):
        use()
    left = resident_bytes() - before
    assert left < max(NOISE_BYTES, LOADS * held / 2), (
        f"{LOADS} closed engines hold {left / 2**20:.0f} MiB, one open engine held {held / 2**20:.0f}"
    )
