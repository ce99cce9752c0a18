"""No field without effect: every leaf of the spec's schema, changed, changes a child."""

import copy
from typing import Any

import pytest

from tests.support.operator.schema import Path, Schema, leaves, problems
from tests.support.operator.world import HTTPS, SHA, World, service
from tools.crd import structural_schema
from ttsoperator.spec import TTSServiceSpec

SCHEMA = structural_schema(TTSServiceSpec)
LEAVES = dict(leaves(SCHEMA))

SPECIAL: dict[Path, tuple[Any, Any]] = {
    ("model", "source"): (HTTPS, "https://models.example.com/other.onnx"),
    ("model", "sha256"): (SHA, "cd" * 32),
    ("image", "digest"): (f"sha256:{SHA}", f"sha256:{'cd' * 32}"),
    ("gpu", "resourceName"): ("nvidia.com/gpu", "amd.com/gpu"),
    ("serving", "allowedOrigins", "[]"): ("*", "https://app.example.org"),
}
"""Values where a pattern, or the effect, asks for more than the type tells."""


def values(path: Path, schema: Schema) -> tuple[Any, Any]:
    """Two values of a leaf that ought to make a difference."""
    if path in SPECIAL:
        return SPECIAL[path]
    if "enum" in schema:
        return schema["enum"][0], schema["enum"][1]
    if schema.get("x-kubernetes-int-or-string"):
        return "1Gi", "2Gi"
    if schema["type"] == "integer":
        return schema["minimum"], schema["minimum"] + 1
    return (False, True) if schema["type"] == "boolean" else ("one", "two")


def example(schema: Schema, path: Path) -> Any:
    """The smallest value a schema accepts."""
    if schema.get("type") == "object":
        return {name: example(schema["properties"][name], (*path, name)) for name in schema.get("required", [])}
    if schema.get("type") == "array":
        return [example(schema["items"], (*path, "[]"))]
    return values(path, schema)[0]


def put(holder: Any, schema: Schema, path: Path, value: Any, done: Path = ()) -> Any:
    """Return `holder` with `value` at the path, made of the smallest values where there was nothing."""
    if len(done) == len(path):
        return value
    step = path[len(done)]
    here = (*done, step)
    if step == "[]":
        there = holder[0] if holder else example(schema["items"], here)
        return [put(there, schema["items"], path, value, here)]
    inner = schema["additionalProperties"] if step == "{}" else schema["properties"][step]
    key = "cpu" if step == "{}" else step
    there = holder.get(key) if isinstance(holder, dict) else None
    if there is None:
        there = example(inner, here) if len(here) < len(path) else None
    return {**(holder or {}), key: put(there, inner, path, value, here)}


def spec_with(path: Path, value: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"engine": "coqui", "model": {"source": HTTPS}}
    if path[:2] == ("model", "sha256"):
        base["model"]["sha256"] = SHA
    found: dict[str, Any] = put(copy.deepcopy(base), SCHEMA, path, value)
    return found


def rendered(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The children of a service whose model is there."""
    wanted, world = service(**spec), World()
    world.step(wanted)
    world.finish_job()
    return list(world.plan(wanted).desired)


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_a_leaf_changes_a_child(path: Path) -> None:
    before, after = (spec_with(path, value) for value in values(path, LEAVES[path]))
    assert before != after
    assert not [*problems(before, SCHEMA), *problems(after, SCHEMA)]
    assert rendered(before) != rendered(after)


def test_the_walk_sees_the_whole_surface() -> None:
    assert len(LEAVES) > 100
    assert {path[0] for path in LEAVES} == set(SCHEMA["properties"])
    assert ("podTemplate", "affinity", "nodeAffinity", *("requiredDuringSchedulingIgnoredDuringExecution",)
            , "nodeSelectorTerms", "[]", "matchExpressions", "[]", "values", "[]") in LEAVES  # fmt: skip
