"""Lists in words, for help texts and messages."""

from collections.abc import Iterable


def one_of(words: Iterable[str]) -> str:
    """Return words as a choice: `a`, `a or b`, `a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
