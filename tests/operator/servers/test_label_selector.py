"""Label selectors mean what Kubernetes means by them."""

import pytest

from ttsoperator.servers.label_selector import InvalidSelector, selector

LABELS = {"app": "tts", "tier": "gold", "x.io/y": "1"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("app=tts", True),
        ("app==tts,tier=gold", True),
        ("app=other", False),
        ("app!=other", True),
        ("missing!=other", True),
        ("x.io/y", True),
        ("!x.io/y", False),
        ("!missing", True),
        ("tier in (silver,gold)", True),
        ("tier in (silver)", False),
        ("tier notin (silver, bronze),app", True),
        ("tier notin (gold)", False),
        ("missing in (a)", False),
    ],
)
def test_label_selectors_mean_what_kubernetes_means(text: str, holds: bool) -> None:  # noqa: FBT001
    assert selector(text)(LABELS) is holds


@pytest.mark.parametrize("text", ["a b", "=x", "a in x,y)", "!a=b", "a in (b"])
def test_malformed_selectors_are_refused(text: str) -> None:
    with pytest.raises(InvalidSelector):
        selector(text)
