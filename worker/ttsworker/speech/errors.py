"""The errors of a request for speech, besides those that the rooms below raise. `http/errors.py` has the answers."""

from typing import Literal

NAMED_CHARACTERS = 8
"""How many a message names at most."""

LONGEST_NAME = 64
"""Characters of a client's name for a parameter that an answer repeats."""

InvalidCode = Literal[
    "control_character",
    "empty_text",
    "invalid_json",
    "invalid_text",
    "invalid_value",
    "markup",
    "nothing_to_speak",
    "text_too_long",
    "unknown_language",
    "unknown_parameter",
    "unknown_voice",
    "unspeakable_text",
    "unsupported_format",
]


class InvalidRequest(Exception):
    """The client must change its request: a code for programs, a message that says what to change, and which parameter.

    `param` is None where the error is of no single parameter.
    """

    def __init__(self, code: InvalidCode, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class NothingToSpeak(InvalidRequest):
    """The model speaks nothing of the text."""

    def __init__(self, *, param: str | None = None) -> None:
        message = "this model speaks nothing of the text: it knows none of its characters"
        super().__init__("nothing_to_speak", message, param=param)


class UnspeakableText(InvalidRequest):
    """The model cannot speak these characters of the text, and the request or the setting does not let it skip them."""

    def __init__(self, characters: str, *, param: str) -> None:
        first = " ".join(characters[:NAMED_CHARACTERS])
        others = len(characters) - NAMED_CHARACTERS
        more = f" and {others} more characters" if others > 0 else ""
        message = f"this model cannot speak {first}{more}: leave them out, or let it skip them"
        super().__init__("unspeakable_text", message, param=param)


class AudioTimeout(Exception):
    """The first audio, or the whole of it, was not ready in time."""


class SynthesisFailed(Exception):
    """The engine failed. The message is for clients: the engine's own error is the cause, and is in the log."""
