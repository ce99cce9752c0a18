"""What a rule is, and the patterns that several rules share."""
# ruff: noqa: RUF001 - the signs are intended

import re
from collections.abc import Callable
from dataclasses import dataclass

Spoken = str | Callable[[re.Match[str]], str]

CURRENCY = "[$€£¥₹₩₽₺₴₫฿₱₦₪]"
GROUPED = r"(?:\d{1,3}(?:,\d{3})++(?!\d|,\d)|\d{1,2}(?:,\d\d(?!\d))++,\d{3}(?!\d))"
"""Thousands with commas, also as lakhs and crores: 1,00,000."""
AMOUNT = rf"(?:{GROUPED}|\d++)(?:\.\d++)?"
START = r"\b(?<!\d[.,])"
"""Where a number can begin: not within another one, whose rest would be searched again from each of its groups."""
MAGNITUDE = "(?:thousand|million|billion|trillion)"
SIGNED = r"(?<![\w.,)\]%–−-])(?<!\d )"
"""Nothing before it that a hyphen could join to what follows, not even a number and a space: a range."""


@dataclass(frozen=True)
class Rule:
    """What to write for each match of a pattern; the example shows a text before and after all the rules."""

    pattern: re.Pattern[str]
    spoken: Spoken
    example: tuple[str, str]
    needs_sign: bool = True
    """Whether it matches only texts with a sign or a digit; most texts have none, and cost one search."""


def row(pattern: str, spoken: Spoken, before: str, after: str) -> Rule:
    """Return the rule for a pattern."""
    return Rule(re.compile(pattern), spoken, (before, after))


def word_row(pattern: str, spoken: Spoken, before: str, after: str) -> Rule:
    """Return the rule for a pattern that matches plain words too."""
    return Rule(re.compile(pattern), spoken, (before, after), needs_sign=False)


def words(table: dict[str, str]) -> str:
    """Return a pattern of a table's names, the longest first."""
    return "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
