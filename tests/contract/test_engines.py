"""The engine catalogue: every row is whole, and one row with one module is a whole engine."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fake_engine import FAKE
from tools import crd
from ttscontract.engines import ENGINES, Engine, find
from ttscontract.words import one_of
from ttsoperator.spec.quantities import value_of
from ttsworker.engines import EngineOptions, ModelInvalid, find_engine
from ttsworker.settings import Settings

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str) -> str:
    """What a program of ours prints while the catalogue has the fake engine too."""
    command = [sys.executable, "-m", "tests.support.fake_engine", module, *arguments]
    environment = os.environ | {"TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, text=True, timeout=120)
    return done.stdout


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_a_row_is_whole(engine: Engine) -> None:
    assert find(engine.name) is engine
    assert find_engine(engine.name).__module__ == engine.module.partition(":")[0]
    assert all(value_of(quantity) > 0 for quantity in (*engine.requests.values(), *engine.limits.values()))
    assert all(value_of(engine.requests[name]) <= value_of(limit) for name, limit in engine.limits.items())
    assert engine.builtin in {None, f"builtin://{engine.name}"}


def test_the_default_engine_needs_no_model() -> None:
    assert Settings.model_fields["engine"].default == ENGINES[0].name
    assert ENGINES[0].builtin


def test_hibari_runs_in_the_precisions_of_its_row() -> None:
    hibari, coqui = find("hibari"), find("coqui")
    assert hibari
    assert coqui
    for precision in hibari.precisions:
        find_engine("hibari")(EngineOptions(precision=precision))
    for precision in set(coqui.precisions) - set(hibari.precisions):
        with pytest.raises(ModelInvalid, match="set precision to Auto"):
            find_engine("hibari")(EngineOptions(precision=precision))


def test_a_choice_in_words() -> None:
    assert [one_of("a"), one_of("ab"), one_of("abc")] == ["a", "a or b", "a, b or c"]


# One row and one module: everything else is derived.


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The spec's schema in the CRD that has the fake engine."""
    folder = tmp_path_factory.mktemp("crd")
    run("tools.crd", str(folder))
    [version] = yaml.safe_load((folder / crd.FILE_NAME).read_text())["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def test_the_crd_has_it(definition: dict[str, Any]) -> None:
    assert definition["properties"]["engine"]["enum"] == ["hibari", "onnx", "coqui", "fake"]
    rules = {rule["message"]: rule["rule"] for rule in definition["x-kubernetes-validations"]}
    [told] = [message for message in rules if message.endswith("spec.model.source, hibari, onnx, coqui or fake")]
    assert told.startswith("spec.engine is required")
    told = "builtin://hibari needs the engine hibari; builtin://fake needs the engine fake"
    by_source = "(self.model.source == 'builtin://fake' ? 'fake' : 'hibari')"
    assert f"self.engine == {by_source} ||" in rules[f"{told}: remove spec.engine"]
    [gpus] = [rule for rule in rules.values() if "self.?gpu.?count" in rule]
    engine = f"self.?engine.orValue({by_source})"
    assert f"orValue({engine} == 'coqui' ? 1 : {engine} == 'fake' ? 2 : 0) > 0" in gpus
    [source] = [
        rule for rule in definition["properties"]["model"]["x-kubernetes-validations"] if "must be" in rule["message"]
    ]
    assert source["rule"].startswith("self.source == 'builtin://hibari' || self.source == 'builtin://fake' || ")
    assert "must be builtin://hibari, builtin://fake, or the https:// URL" in source["message"]


def test_kubectl_explains_it(definition: dict[str, Any]) -> None:
    fields = definition["properties"]
    assert "coqui (VITS on torch) or fake (tones, for tests)" in fields["engine"]["description"]
    assert "builtin://hibari or builtin://fake (" in fields["model"]["properties"]["source"]["description"]
    assert "fake: requests cpu 123m, memory 45Mi, limits memory 67Mi" in fields["resources"]["description"]
    assert fields["gpu"]["properties"]["count"]["description"] == fields["gpu"]["description"]
    assert "(hibari 0, onnx 0, coqui 1, fake 2)" in fields["gpu"]["description"]


def test_the_reference_has_it(tmp_path: Path) -> None:
    run("tools.apidoc", str(tmp_path / "api.md"))
    text = (tmp_path / "api.md").read_text()
    assert "| `engine` | `hibari` \\| `onnx` \\| `coqui` \\| `fake` |" in text
    [row] = [line for line in text.splitlines() if line.startswith("| `fake` |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        *("`fake`", FAKE.summary, "`builtin://fake`", FAKE.model_folder, "cpu 123m, memory 45Mi", "memory 67Mi"),
        *("2", "`Auto`", FAKE.licence),
    ]


def test_the_operator_runs_it() -> None:
    children = json.loads(run("tests.support.operator.render", '{"model": {"source": "builtin://fake"}}'))
    by_kind = {child["kind"]: child for child in children}
    [worker] = by_kind["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert worker["resources"] == {
        "requests": {"cpu": "123m", "memory": "45Mi"},
        "limits": {"memory": "67Mi", "nvidia.com/gpu": "2"},
    }
    assert json.loads(by_kind["ConfigMap"]["data"]["worker.json"])["engine"] == "fake"


def test_the_worker_speaks_with_it(tmp_path: Path) -> None:
    told = " ".join(run("ttsworker", "say", "--help").split())
    assert "Engine that runs the model: hibari, onnx, coqui or fake." in told
    run("ttsworker", "say", "Hello.", "--engine", "fake", "--output", str(tmp_path / "hello.wav"))
    with wave.open(str(tmp_path / "hello.wav")) as audio:
        assert audio.getnframes() > 0
    checks = json.loads(run("ttsworker", "check", "--json", "--engine", "fake"))["checks"]
    found = {each["name"]: each for each in checks}
    assert found["no-such-program"]["action"] == "install it, it is for tests"
    assert found["gpu"]["message"] != "no GPU, and none is needed"
    assert found["engine"]["message"].startswith("fake runs on the cpu")
