"""Parsing an object of the API."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.operator.schema import defaulted, problems
from tests.support.operator.world import HTTPS, body, service
from tools.crd import structural_schema
from ttsoperator.spec import InvalidSpec, TTSServiceSpec, parse

SCHEMA = structural_schema(TTSServiceSpec)


def test_three_lines_are_enough() -> None:
    found = service()
    assert (found.builtin, found.engine.name, found.spec.replicas) == (True, "hibari", 1)
    assert (found.name, found.namespace, found.uid, found.generation, found.deleting) == (
        "english",
        "speech",
        "uid-english",
        1,
        False,
    )


def test_a_deletion_timestamp_is_seen() -> None:
    found = body()
    found["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert parse(found).deleting


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"model": {}}, "spec.model.source: Field required"),
        ({"gpu": {"count": -1}}, "spec.gpu.count: Input should be greater than or equal to 0"),
        ({"model": {"source": HTTPS}}, "spec.engine is required"),
        ({"model": {"source": "builtin://alba"}}, "spec.engine is required"),
        ({"serving": {"precision": "Int4"}}, "spec.serving.precision: Input should be 'Auto'"),
        ({"resources": {"limits": {"cpu": "much"}}}, "spec.resources.limits.cpu: String should match pattern"),
        ({"replicas": "a", "image": 1, "gpu": 2, "service": 3}, "and 1 more"),
    ],
)
def test_an_invalid_spec_is_explained(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(body(generation=7, **spec))
    assert message in refusal.value.message
    assert (refusal.value.reason, refusal.value.generation) == ("InvalidSpec", 7)


def test_fields_of_a_newer_crd_are_left_out() -> None:
    assert parse(body(monitoring={"alerts": "Auto"}, rollout={"strategy": "Auto"})).spec == service().spec


@pytest.mark.parametrize(
    "spec", [{}, {"autoscaling": {}}, {"autoscaling": {"targets": {"gpuUtilizationPercent": 1}}}, {"gpu": {"count": 2}}]
)
def test_the_crd_fills_in_the_defaults_that_the_operator_assumes(spec: dict[str, Any]) -> None:
    raw = body(**spec)["spec"]
    stored = defaulted(raw, SCHEMA)
    assert not list(problems(stored, SCHEMA))
    assert TTSServiceSpec.model_validate(stored) == TTSServiceSpec.model_validate(raw)


def test_naming_a_target_leaves_the_default_one_out() -> None:
    targets = service(autoscaling={"targets": {"gpuUtilizationPercent": 50}}).spec.autoscaling
    assert targets is not None
    assert targets.targets.rendered() == {"gpuUtilizationPercent": 50}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["source", "count", "limits", "cpu", "env"]), inner)
    ),
    max_leaves=8,
)


@given(ANYTHING, st.sampled_from(["model", "gpu", "resources", "podTemplate", "autoscaling", "image"]))
def test_no_object_whatever_raises_anything_else(value: object, field: str) -> None:
    found = body()
    found["spec"][field] = value
    said = "spec."
    try:
        parse(found)
    except InvalidSpec as refusal:
        said = refusal.message
    assert said.startswith("spec.")
