"""The conformance suite: every engine of ours keeps its rules, and each rule finds an engine that breaks it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import wave
from pathlib import Path

import pytest
from hibari.voices import DEFAULT, voice_path

from tests.support.worker import tiny_piper
from tests.support.worker.broken_engines import Broken
from tests.support.worker.broken_lives import BROKEN
from tests.support.worker.conforming import ConformingEngine, not_passed, run_suite, write_model
from ttsworker.conformance.checks import IN_ORDER

GUIDE = Path("docs/engines.md").read_text()


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """All rules, from an engine that keeps them."""
    folder = tmp_path_factory.mktemp("conforming")
    results = run_suite(name_of(ConformingEngine), folder, f"--model-dir={write_model(folder / 'model')}")
    assert set(results.values()) == {"passed"}, "no rule is left out"
    return {rule_of(test) for test in results}


def name_of(engine: type) -> str:
    return f"{engine.__module__}:{engine.__name__}"


def rule_of(test: str) -> str:
    return test.partition("[")[0]


def test_every_rule_can_be_broken(rules: set[str]) -> None:
    assert {rule for engine in BROKEN for rule in engine.breaks if len(engine.breaks) == 1} == rules


@pytest.mark.parametrize("engine", BROKEN, ids=lambda engine: engine.__name__)
def test_a_broken_rule_is_found_and_no_other(engine: type[Broken], tmp_path: Path) -> None:
    results = run_suite(name_of(engine), tmp_path, f"--model-dir={write_model(tmp_path / 'model')}")
    assert {rule_of(test) for test in not_passed(results)} == set(engine.breaks)


@pytest.mark.parametrize(
    ("fact", "wrong"),
    [
        ("model_name", None),
        ("revision", ""),
        ("device", "gpu"),
        ("sample_rate", 44_100.0),
        ("parallelism", 0),
        ("max_batch_size", 0),
        ("max_characters", 0),
        ("streams", None),
        ("pause_seconds", float("nan")),
        ("pause_seconds", -0.1),
    ],
)
def test_a_wrong_fact_is_not_in_order(fact: str, wrong: object) -> None:
    assert not IN_ORDER[fact](wrong)
    assert IN_ORDER[fact](getattr(ConformingEngine, fact))


def test_hibari_keeps_the_rules(tmp_path: Path) -> None:
    """Both voices of a folder, since the embedded one alone is not told apart from any other."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("bf_emma.int8", "my-own"):
        shutil.copy(voice_path(DEFAULT), model / f"{name}.onnx")
    results = run_suite("hibari", tmp_path, f"--model-dir={model}")
    assert not not_passed(results)


def test_the_embedded_voice_keeps_the_rules(tmp_path: Path) -> None:
    assert not not_passed(run_suite("hibari", tmp_path))


def test_onnx_keeps_the_rules(tmp_path: Path) -> None:
    tiny_piper.write(tmp_path / "model", speakers={"anna": 0, "ben": 1})
    results = run_suite("onnx", tmp_path, f"--model-dir={tmp_path / 'model'}")
    assert not not_passed(results)


def test_coqui_keeps_the_rules(tmp_path: Path) -> None:
    from tests.support.worker import tiny_vits  # noqa: PLC0415 - imports torch, which takes seconds

    tiny_vits.write(tmp_path / "model", ("anna", "ben", "carl"), ("en", "de"))
    results = run_suite("coqui", tmp_path, f"--model-dir={tmp_path / 'model'}")
    assert not not_passed(results)


@pytest.mark.parametrize("name", ["no.module:Engine", "ttsworker.engines:NoEngine", "festival"])
def test_an_engine_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError, match=f"--engine {name}: "):
        run_suite(name, tmp_path)


def example(language: str, word: str) -> str:
    """The one block of docs/engines.md in this language that has this word in it."""
    [block] = [block for block in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL) if word in block]
    return str(block)


def test_the_example_of_the_guide_keeps_the_rules(tmp_path: Path) -> None:
    (tmp_path / "tones.py").write_text(example("python", "class ToneEngine"))
    [engine] = re.findall(r"--engine (\S+)", example("sh", "--pyargs"))
    assert not not_passed(run_suite(engine, tmp_path, pythonpath=tmp_path))


def test_the_worker_knows_an_engine_of_another_package(tmp_path: Path) -> None:
    (tmp_path / "tones.py").write_text(example("python", "class ToneEngine"))
    installed = tmp_path / "tones-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: tones\nVersion: 1\n")
    registered = tomllib.loads(example("toml", "entry-points"))["project"]["entry-points"]["ttsworker.engines"]
    lines = [f"{name} = {engine}" for name, engine in registered.items()]
    (installed / "entry_points.txt").write_text("\n".join(["[ttsworker.engines]", *lines]))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PATH": path}
    subprocess.run(["sh", "-e", "-c", example("sh", "ttsworker say")], cwd=tmp_path, env=environment, check=True)
    with wave.open(str(tmp_path / "hello.wav")) as audio:
        assert audio.getnframes() > 0
