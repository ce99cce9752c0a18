"""Which characters of a text a listener should hear, and what to call those that a model leaves out. Pure."""
# ruff: noqa: RUF001 - the marks are intended

import re
import unicodedata
from collections.abc import Iterator

_NAMED_PUNCTUATION = frozenset("#%&@§¶†‡‰\\")
"""What Unicode calls punctuation, but readers call by its name."""

_LAYOUT = frozenset("|`´¨¯")
"""What Unicode calls symbols, but writers use for tables, code and accents."""

_PLAIN = re.compile(r"[a-zA-Z0-9\s.,;:!?'\"()\[\]{}*_/-]*+")
"""A text of only these has no character that any voice of its language could not know."""

MAX_KINDS = 5


def is_heard(character: str) -> bool:
    """Return whether a listener should hear it: a letter, digit or symbol, but no mark that only shapes the speech."""
    category = unicodedata.category(character)
    if category[0] == "S":
        return character not in _LAYOUT
    return category[0] in "LN" or character in _NAMED_PUNCTUATION


def heard(text: str) -> Iterator[str]:
    """Yield the characters that a listener should hear."""
    return filter(is_heard, text)


def is_plain(text: str) -> bool:
    """Return whether the text has only ASCII letters, digits and marks; most English texts need no further look."""
    return _PLAIN.fullmatch(text) is not None


def kinds(characters: str) -> list[str]:
    """Name characters for a log without showing the text: letters and digits by their script, others by their name."""
    named = dict.fromkeys(_kind(character) for character in dict.fromkeys(characters))
    return [*named][:MAX_KINDS]


def _kind(character: str) -> str:
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return name.partition(" ")[0] if character.isalnum() else name
