"""Write English signs out in words where engines skip them or read something else. Pure, and linear in the text.

Engines read most numbers well, so a rule rewrites only what several of them get wrong: the sign before money, a unit's
square, the dots of an address. A module has the rules of one kind.
"""
# ruff: noqa: RUF001 - the signs are intended

import re

from ttsworker.text.english import addresses, dates, money, numbers, shortened, units
from ttsworker.text.english.rule import Rule

RULES: tuple[Rule, ...] = (
    *dates.RULES,
    *addresses.RULES,
    *shortened.RULES,
    *money.SEPARATORS,
    *money.RULES,
    *numbers.RULES,
    *units.RULES,
)
"""In this order: a later rule sees what an earlier one wrote."""

_ANY_SIGN = re.compile(r"[\d@√∞*≠№½¼¾⅓⅔⅛⅜⅝⅞⁰¹²³⁴-⁹]|www\.|https?:|!=|= ?[-−]|\w\.[a-z]")
"""What a rule that needs a sign has to find."""


def verbalise(text: str) -> str:
    """Return a normalised English text with its signs in words."""
    signs = bool(_ANY_SIGN.search(text))
    for rule in RULES:
        if signs or not rule.needs_sign:
            text = rule.pattern.sub(rule.spoken, text)
    return text
