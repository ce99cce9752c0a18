"""Merge patches: as small as can be, and what they make of the old is the new."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.operator.fakes import merged
from ttsoperator.reconcile.reporter import merge_patch

# Statuses hold no nulls: in a merge patch null means removal, which RFC 7386 cannot tell from a value.
LEAVES = st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), LEAVES, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), LEAVES | inner, max_size=4),
    max_leaves=12,
)


@given(OBJECTS, OBJECTS)
def test_applying_the_patch_gives_the_new_object(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merged(old, merge_patch(old, new)) == new


@given(OBJECTS)
def test_nothing_to_change_is_an_empty_patch(obj: dict[str, Any]) -> None:
    assert merge_patch(obj, obj) == {}


def test_only_what_differs_is_sent() -> None:
    old = {"model": {"state": "Downloading", "bytes": 5, "total": 9}, "url": "u", "gone": 1}
    new = {"model": {"state": "Downloading", "bytes": 7}, "url": "u"}
    assert merge_patch(old, new) == {"model": {"bytes": 7, "total": None}, "gone": None}
