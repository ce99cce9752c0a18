"""Drift: a field of ours that changed is found, whatever the API server and others have added is not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsoperator import names
from ttsoperator.children.registry import POD_TEMPLATE
from ttsoperator.reconcile.drift import covers, differs

MERGE_KEYS = POD_TEMPLATE | {"ports": ("port", "protocol")}
MANIFEST: dict[str, Any] = {
    "metadata": {"name": "a", "labels": {"x": "y"}, "annotations": {names.APPLIED_HASH: "h"}},
    "spec": {
        "replicas": 2,
        "args": ["--one", "--two"],
        "containers": [{"name": "worker", "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}],
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "ports": [{"name": "http", "port": 5002, "protocol": "TCP"}],
    },
}


def changed(**edit: Any) -> dict[str, Any]:
    found = copy.deepcopy(MANIFEST)
    found["spec"].update(edit)
    return found


def test_an_applied_manifest_has_no_drift() -> None:
    assert not differs(MANIFEST, copy.deepcopy(MANIFEST), MERGE_KEYS)


@pytest.mark.parametrize(
    "live",
    [
        changed(replicas=3),
        changed(args=["--one"]),
        changed(args=["--one", "--two", "--three"]),
        changed(args=["--two", "--one"]),
        changed(containers=[]),
        changed(containers=[{"name": "other"}]),
        changed(containers=[{"name": "worker", "resources": {"limits": {"cpu": "1", "memory": "2Gi"}}}]),
        changed(tolerations=[{"key": "gpu", "operator": "Exists"}, {"operator": "Exists"}]),
        changed(ports=[{"name": "http", "port": 5003, "protocol": "TCP"}]),
        {**MANIFEST, "metadata": {**MANIFEST["metadata"], "labels": {}}},
        {**MANIFEST, "metadata": {**MANIFEST["metadata"], "annotations": {names.APPLIED_HASH: "older"}}},
        {**MANIFEST, "metadata": {"name": "a", "labels": {"x": "y"}}},
    ],
)
def test_a_change_of_ours_is_found(live: dict[str, Any]) -> None:
    assert differs(MANIFEST, live, MERGE_KEYS)


@pytest.mark.parametrize(
    "live",
    [
        changed(paused=False),
        changed(containers=[{"name": "istio"}, *MANIFEST["spec"]["containers"]]),
        changed(containers=[{**MANIFEST["spec"]["containers"][0], "image": "x"}]),
        changed(containers=[{"name": "worker", "resources": {"limits": {"cpu": "1", "memory": "1024Mi", "x": "1"}}}]),
        changed(ports=[{"name": "http", "port": 5002, "protocol": "TCP", "nodePort": 31000}]),
        {**MANIFEST, "status": {"replicas": 1}},
        {**MANIFEST, "metadata": {**MANIFEST["metadata"], "labels": {"x": "y", "team": "b"}, "uid": "u"}},
    ],
)
def test_additions_of_others_are_none(live: dict[str, Any]) -> None:
    assert not differs(MANIFEST, live, MERGE_KEYS)


def test_the_api_server_drops_what_is_empty() -> None:
    assert covers({"a": 1}, {"a": 1, "values": [], "selector": {}, "value": "", "optional": False}, MERGE_KEYS)
    assert not covers({"a": 1}, {"a": 1, "b": 2}, MERGE_KEYS)


def test_quantities_are_compared_only_where_they_stand() -> None:
    assert not covers({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "1000m"}]}, MERGE_KEYS)
    assert covers({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}, MERGE_KEYS)


@pytest.mark.parametrize(
    ("live", "desired", "covered"),
    [
        ([True], [True], True),
        ([True, False], [True], False),
        ([{"port": 1}, True], [{"port": 1}], False),
        ([{"port": [1]}], [{"port": [1]}], True),
        ([{"port": 1, "name": "a"}, {"port": 1, "name": "b"}], [{"port": 1, "name": "a"}], False),
        ([{"port": 1, "name": "a"}, {"port": 1, "name": "b"}], [{"port": 1, "name": "a"}, {"port": 1}], True),
    ],
)
def test_a_list_whose_items_have_no_identity_is_one_value(
    live: list[Any], desired: list[Any], *, covered: bool
) -> None:
    assert covers({"ports": live}, {"ports": desired}, MERGE_KEYS) is covered


json_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(json_values)
def test_everything_covers_itself(value: object) -> None:
    assert covers(value, copy.deepcopy(value), MERGE_KEYS)


@given(st.dictionaries(st.text(max_size=3), json_values, max_size=4), st.dictionaries(st.text(min_size=4), json_values))
def test_more_covers_less(value: dict[str, Any], more: dict[str, Any]) -> None:
    assert covers({**more, **value}, value, MERGE_KEYS)
