"""worker.json: what the operator writes is what the worker reads, with the bounds and defaults of the contract."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from tests.support.operator.schema import problems
from tests.support.operator.world import HTTPS, SHA, service
from tools.crd import structural_schema
from ttscontract.engines import ENGINES
from ttscontract.worker_config import SERVING, WRITTEN, Setting
from ttsoperator.children.worker.configmap import render
from ttsoperator.children.worker.served_model import Serving as ServedModel
from ttsoperator.children.worker.served_model import key_of
from ttsoperator.spec import TTSServiceSpec
from ttsworker.settings import InvalidSettings, Settings, load_settings

PAGE = Path(__file__).parents[2] / "docs/running-the-worker.md"
SCHEMA = structural_schema(TTSServiceSpec)
FIELDS: dict[str, Any] = SCHEMA["properties"]["serving"]["properties"]


def values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The values of a field that the API server accepts."""
    if field["type"] == "object":
        texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
        return st.dictionaries(texts, texts, max_size=field["maxProperties"])
    if field["type"] == "array":
        return st.lists(st.from_regex(field["items"]["pattern"], fullmatch=True).filter(short), max_size=3)
    return st.sampled_from(field["enum"]) if "enum" in field else st.integers(field["minimum"], field["maximum"])


def short(text: str) -> bool:
    return len(text) <= 100


serving = st.fixed_dictionaries({}, optional={name: values(field) for name, field in FIELDS.items()})
models = st.sampled_from(
    [
        {"model": {"source": "builtin://hibari"}},
        {"engine": "hibari", "model": {"source": HTTPS}},
        {"engine": "coqui", "model": {"source": HTTPS, "sha256": SHA}},
        {"engine": "coqui", "model": {"source": "builtin://vits"}},
    ]
)
resources = st.none() | st.sampled_from(["250m", "1", "2500m", 3, "1M"]).map(lambda cpu: {"limits": {"cpu": cpu}})


def read(text: str) -> Settings:
    """Load a worker.json as the worker does it at its start."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        return load_settings({"TTSWORKER_CONFIG": file.name})


@settings(max_examples=50, deadline=None)
@given(models, serving, resources)
def test_the_worker_reads_what_the_operator_writes(
    model: dict[str, Any], options: dict[str, Any], limits: dict[str, Any] | None
) -> None:
    spec = {**model, "serving": options} | ({"resources": limits} if limits else {})
    assert not [*problems(spec, SCHEMA)]
    wanted = service(**spec)
    key = key_of(wanted)
    text = render(wanted, ServedModel(key, wanted.engine))
    written, loaded = json.loads(text), read(text)
    for name, value in {**written, "model_dir": Path(written["model_dir"]) if key else None}.items():
        assert getattr(loaded, name) == value, name
    for name, value in options.items():
        assert written[next(row.name for row in SERVING if to_camel(row.name) == name)] == value


def test_every_setting_of_the_contract_is_written_in_its_order() -> None:
    """The text decides whether workers restart: an upgrade must not change it without need."""
    written = json.loads(render(service(), ServedModel(None, ENGINES[0])))
    assert list(written) == [row.name for row in WRITTEN]


@pytest.mark.parametrize("row", SERVING, ids=lambda row: row.name)
def test_a_serving_setting_is_the_same_on_both_sides(row: Setting[object]) -> None:
    field, setting = FIELDS[to_camel(row.name)], Settings.model_fields[row.name]
    assert field["default"] == setting.default == row.default
    assert field["description"] == setting.description == row.help
    for bound in (field.get("minimum"), field.get("maximum")):
        assert bound is None or getattr(read(json.dumps({row.name: bound})), row.name) == bound
    outside = [bound for bound in (_below(field), _above(field)) if bound is not None]
    for value in outside:
        with pytest.raises(InvalidSettings, match=row.name):
            read(json.dumps({row.name: value}))


def test_the_api_has_no_serving_setting_beside_the_contract() -> None:
    assert set(FIELDS) == {to_camel(row.name) for row in SERVING}
    assert {row.name for row in WRITTEN} <= set(Settings.model_fields)


def test_the_page_about_the_worker_has_the_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \|", PAGE.read_text(), re.MULTILINE)
    documented = {name: text.strip() for name, text in rows if name in Settings.model_fields}
    assert documented.keys() >= {row.name for row in WRITTEN}
    for row in WRITTEN:
        assert documented[row.name] == ("none" if row.default in (None, []) else str(row.default)), row.name


def _below(field: dict[str, Any]) -> int | None:
    return field["minimum"] - 1 if "minimum" in field else None


def _above(field: dict[str, Any]) -> int | None:
    return field["maximum"] + 1 if "maximum" in field else None
