"""Checks that no type can express: what a text may contain, and that no JSON object gives a name twice."""

import json
import re
from collections import Counter
from itertools import islice
from typing import Any

from ttsworker.speech.errors import LONGEST_NAME, InvalidRequest

_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and halves of surrogate pairs, but not tabs, line ends, and the form feeds of PDFs."""

_BYTES_PER_CHARACTER = 12
"""The longest way to write a character, in JSON (a surrogate pair of two \\uXXXX) and in a URL (four %XX)."""

_BYTES_BESIDE_TEXT = 16_384

MAX_JSON_MARKS = 1000
"""Strings, brackets, colons and commas of a JSON body; a request with every parameter has about 50."""

_JSON_MARK = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{:,]', re.DOTALL)
"""A string counts as one, whatever is in it; one without an end goes on to the end of the body."""


def longest_request(max_text_length: int) -> int:
    """Return the most bytes that a body or a URL with a text of an allowed length can have."""
    return max_text_length * _BYTES_PER_CHARACTER + _BYTES_BESIDE_TEXT


def check_text(text: str, max_length: int, *, param: str) -> str:
    """Return the text with line ends and form feeds as newlines; raises InvalidRequest where it cannot be spoken."""
    if not text.strip():
        raise InvalidRequest("empty_text", f"{param} is empty: send the text to speak", param=param)
    if len(text) > max_length:
        message = f"{param} has {len(text)} characters, but a request may have at most {max_length}: split it"
        raise InvalidRequest("text_too_long", message, param=param)
    check_characters(text, param=param)
    return re.sub(r"\r\n?|\f", "\n", text)


def check_characters(text: str, *, param: str) -> None:
    """Raise InvalidRequest for a control character."""
    if control := _CONTROL.search(text):
        where = f"U+{ord(control[0]):04X} at position {control.start()}"
        raise InvalidRequest("control_character", f"{param} has the control character {where}: remove it", param=param)


def refuse_many_values(body: bytes) -> None:
    """Raise InvalidRequest for a JSON body of more than `MAX_JSON_MARKS` strings and marks, without parsing it.

    Parsing 400,000 empty arrays takes half a second, in which nothing else runs.
    """
    if next(islice(_JSON_MARK.finditer(body), MAX_JSON_MARKS, None), None):
        raise InvalidRequest("invalid_json", f"the body has more than {MAX_JSON_MARKS} names, values and marks")


def refuse_repeated_names(body: bytes) -> None:
    """Raise InvalidRequest when a JSON object gives a name twice: some readers use the first value, some the last.

    Invalid JSON passes: whoever parses it next says what is wrong with it.
    """
    try:
        json.loads(body, object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError):
        return


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        param = twice[:LONGEST_NAME]
        message = f"the body has {param!r} more than once: send it once"
        raise InvalidRequest("invalid_json", message, param=param)
    return values
