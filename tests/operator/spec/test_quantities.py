"""Quantities: the API's own examples, and every text that matches the pattern has a value."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsoperator.spec import quantities


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1", 1), ("250m", "0.25"), ("2Gi", 2 * 1024**3), ("1.5G", 1_500_000_000), ("1e3", 1000), ("1E", 10**18)),
        *((".5", "0.5"), ("+1.", 1), ("100n", "1e-7"), ("12E2", 1200), (7, 7), ("0", 0)),
    ],
)
def test_value(text: str | int, value: str | int) -> None:
    assert quantities.value_of(text) == Decimal(value)


@given(st.from_regex(quantities.PATTERN, fullmatch=True))
def test_whatever_the_api_accepts_has_a_value(text: str) -> None:
    assert quantities.value_of(text.strip()) >= 0


@pytest.mark.parametrize("text", ["", "m", "1x", "1.2.3", "Gi", "1 Gi", "one", ".", "1ee3"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    assert not re.match(quantities.PATTERN, text)
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        quantities.value_of(text)


def test_one_number_in_two_spellings_is_the_same() -> None:
    assert quantities.same("1", "1000m")
    assert quantities.same(1, "1")
    assert quantities.same("0.5m", "1m"), "the API server rounds up to thousandths"
    assert quantities.same("1e99", "9223372036854775807"), "the API server cuts what is larger than an int64"
    assert not quantities.same("1m", "1.5m")
    assert not quantities.same("1", "1Ki")
    assert not quantities.same("one", "one")


@given(st.integers(1, 5000))
def test_thousandths_are_spelt_as_the_api_spells_them(number: int) -> None:
    text = quantities.rendered(number / 1000)
    assert quantities.value_of(text) == Decimal(number) / 1000
    assert not text.endswith("000m")


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (3, "3"), (0.25, "250m"), (12.3456, "12346m"), (1.0004, "1")])
def test_numbers_are_rounded_to_the_thousandth(number: float, text: str) -> None:
    assert quantities.rendered(number) == text
