"""What a text may contain, and that no JSON object gives a name twice."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.validation import MAX_JSON_MARKS, check_text, refuse_many_values, refuse_repeated_names


@pytest.mark.parametrize("number", [0x00, 0x07, 0x0B, 0x1B, 0x7F, 0x80, 0x85, 0x9F, 0xD800, 0xDFFF])
def test_a_control_character_is_named_at_its_place(number: int) -> None:
    with pytest.raises(InvalidRequest, match=rf"U\+{number:04X} at position 4: remove it"):
        check_text(f"a\r\nb{chr(number)}", 100, param="input")


@given(st.text())
def test_every_text_is_refused_clearly_or_kept_but_for_line_ends(text: str) -> None:
    try:
        kept = check_text(text, 50, param="input")
    except InvalidRequest as error:
        code: str = error.code
    else:
        code = "kept"
        assert kept.replace("\n", "") == re.sub(r"[\r\n\f]", "", text)
    assert code in {"kept", "empty_text", "text_too_long", "control_character"}


@pytest.mark.parametrize(
    "body",
    [b'{"input": "a", "input": "b"}', b'{"input": "a", "\\u0069nput": "b"}', b'{"voice": {"id": 1, "id": 2}}'],
)
def test_a_name_given_twice_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="more than once") as error:
        refuse_repeated_names(body)
    assert error.value.code == "invalid_json"
    assert error.value.param in {"input", "id"}


def test_the_first_name_given_twice_is_found_in_one_go_through_many() -> None:
    """Counting each name in all of them would take longer than a test may."""
    names = [*map(str, range(300_000)), "first", "second", "second", "first"]
    body = "{" + ",".join(f'"{name}":1' for name in names) + "}"
    with pytest.raises(InvalidRequest) as error:
        refuse_repeated_names(body.encode())
    assert error.value.param == "first"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1}', b"9" * 10_000, b'{"a": {"a": 1}}'])
def test_anything_else_is_left_to_the_next_reader(body: bytes) -> None:
    refuse_repeated_names(body)


@pytest.mark.parametrize("unit", ["[],", "{},", '"",', "0,", '{"a":0},', '"[",'])
def test_a_body_of_many_values_is_refused_before_it_is_parsed(unit: str) -> None:
    body = b'{"input":[' + unit.encode() * MAX_JSON_MARKS + b"0]}"
    with pytest.raises(InvalidRequest, match=f"more than {MAX_JSON_MARKS} names, values and marks"):
        refuse_many_values(body)


@pytest.mark.parametrize("mark", ["[", "{", ":", ",", '\\"', "\\\\", "\\\\[", "\\u0022"])
def test_marks_inside_a_text_are_no_values(mark: str) -> None:
    refuse_many_values(b'{"input":"' + mark.encode() * MAX_JSON_MARKS + b'","voice":"a"}')
    refuse_many_values(b'{"input":"' + mark.encode() * MAX_JSON_MARKS)  # without an end, left to the next reader
