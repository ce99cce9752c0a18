"""How both programs write a log line: one JSON object, whatever the record holds."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Final


def text_of(value: object) -> str:
    """Return str(value), whatever it raises."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a broken object must not cost the log line
        return f"<{type(value).__name__}: str() raises {type(error).__name__}>"


_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Characters that move a terminal's cursor, change its state, end a line or reverse the direction of text."""


def escaped(text: str) -> str:
    """Return a text of somebody else's, such as a server's error, as one line that no terminal obeys."""
    return _UNSAFE.sub(_escape, text)


def _escape(character: re.Match[str]) -> str:
    return " " if character[0] in "\t\n\r" else f"\\u{ord(character[0]):04x}"


def message_of(record: logging.LogRecord) -> str:
    """Return the message; where the arguments do not fit into it, they follow it."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - see text_of
        return f"{text_of(record.msg)} {text_of(record.args)}"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=text_of)


def as_json(line: Mapping[str, object]) -> str:
    """Return the line as JSON that UTF-8 can carry.

    A value that JSON cannot hold becomes its text: a cycle, NaN, a mapping with a tuple as key. Control characters are
    written as JSON's escapes, also those that JSON does not ask to escape.
    """
    fields = ", ".join(f"{_value(name)}: {_value(value)}" for name, value in line.items())
    return escaped(f"{{{fields}}}").encode("utf-8", "backslashreplace").decode()


def _value(value: object) -> str:
    try:
        return _ENCODER.encode(value)
    except Exception:  # noqa: BLE001 - see text_of
        return _ENCODER.encode(text_of(value))
