"""The examples: the API server accepts each spec, and full.yaml has every field."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator.schema import leaves, problems
from tests.support.operator.world import World
from tools.crd import structural_schema
from ttsoperator.spec import TTSServiceSpec, parse

SCHEMA = structural_schema(TTSServiceSpec)
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))


def read(name: str) -> dict[str, Any]:
    [path] = [path for path in EXAMPLES if path.name == name]
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_a_service(path: Path) -> None:
    body = yaml.safe_load(path.read_text())
    assert (body["apiVersion"], body["kind"]) == ("tts-operator.io/v1alpha1", "TTSService")
    assert not list(problems(body["spec"], SCHEMA))
    body["metadata"] |= {"namespace": "speech", "uid": "u"}
    assert World().plan(parse(body)).desired


def test_the_shortest_has_one_line_of_spec() -> None:
    assert read("english.yaml")["spec"] == {"model": {"source": "builtin://hibari"}}


def test_the_full_one_has_every_field() -> None:
    """But those that exclude others, and the inside of an affinity, of which one way is shown."""
    given = read("full.yaml")["spec"]
    missing = set()
    for path, _ in leaves(SCHEMA):
        holder: Any = given
        for depth, step in enumerate(path):
            key = 0 if step == "[]" else next(iter(holder)) if step == "{}" else step
            if not (holder and (key == 0 or key in holder)):
                missing.add(".".join(path[: depth + 1]))
                break
            holder = holder[-1] if step == "[]" else holder[key]
    shown = {path for path in missing if not path.startswith(("podTemplate.affinity", "podTemplate.tolerations"))}
    assert shown == {
        "storage.existingClaimName",
        "image.digest",
        "podTemplate.env.[].value",
        "podTemplate.env.[].valueFrom.configMapKeyRef",
        "podTemplate.env.[].valueFrom.fieldRef",
        "podTemplate.env.[].valueFrom.secretKeyRef.optional",
    }
