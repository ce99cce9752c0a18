"""Abbreviations, Roman numerals, and names of letters and digits."""

import re

from ttsworker.text.english.dates import ordinal
from ttsworker.text.english.rule import Rule, row, word_row, words

_BEFORE_NUMBER = {
    "no": "number", "nos": "numbers", "p": "page", "pp": "pages", "fig": "figure", "figs": "figures", "eq": "equation",
    "eqs": "equations", "sec": "section", "art": "article", "vol": "volume", "vols": "volumes", "pt": "part",
    "ch": "chapter", "chap": "chapter", "ex": "example", "ref": "reference", "refs": "references", "apt": "apartment",
    "rm": "room", "bldg": "building", "para": "paragraph", "approx": "approximately", "tel": "telephone",
    "ext": "extension", "min": "minimum", "max": "maximum", "ver": "version", "op": "opus",
}  # fmt: skip
"""With a full stop, which engines read as the end of a sentence before a number."""

_BEFORE_YEAR = {"est": "established", "ca": "circa", "c": "circa", "b": "born", "d": "died"}

_WORDS = {
    "approx.": "approximately", "dept.": "department", "Dept.": "Department", "govt.": "government",
    "gov't": "government", "Gov't": "Government", "int'l": "international", "Int'l": "International",
    "viz.": "namely", "a.k.a.": "also known as", "b/c": "because", "WWI": "World War I", "WWII": "World War II",
    "WW1": "World War 1", "WW2": "World War 2", "P.O.": "P O", "B.C.": "BC", "A.D.": "AD", "Esq.": "Esquire",
}  # fmt: skip

_ROMAN = {"I": 1, "V": 5, "X": 10}
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def _expanded(match: re.Match[str]) -> str:
    word = _BEFORE_NUMBER[match["short"].lower()]
    return f"{word.capitalize() if match['short'][0].isupper() else word} "


def _roman(numeral: str) -> str:
    """Return the number in digits."""
    values = [_ROMAN[letter] for letter in numeral]
    return str(sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True)))


RULES: tuple[Rule, ...] = (
    word_row(rf"(?<![\w.'/])(?P<short>{words(_WORDS)})(?![\w'])", lambda match: _WORDS[match["short"]],
        "It is the dept. of a P.O. box.", "It is the department of a P O box."),
    word_row(r"(?<=[a-z] )St(?=$|[,;:)]| [a-z]|[.]$)", "Street", "On Elm St, he sat.", "On Elm Street, he sat."),
    word_row(r"\b(?P<numeral>[IVX]{1,6})(?= centur(?:y|ies)\b)", lambda match: ordinal(_roman(match["numeral"])),
        "in the XVIII century", "in the 18th century"),
    word_row(r"\bTitle (?!I\b)(?P<numeral>[IVX]{1,6})\b", lambda match: f"Title {_roman(match['numeral'])}",
        "a Title IX rule", "a Title 9 rule"),
    word_row(r"\b([A-G])#(?!\w)", r"\1 sharp", "in F# minor", "in F sharp minor"),
    word_row(r"\bCO[2₂](?!\w)", "C O 2", "tons of CO₂", "tons of C O 2"),
    word_row(r"(?<=[A-Za-z)])[₀-₉]{1,9}", lambda match: match[0].translate(_SUBSCRIPTS), "of H₂O", "of H2O"),
    word_row(r"\bIPv([46])\b", r"I P V \1", "over IPv6", "over I P V 6"),
    word_row(rf"(?<![\w.'/-])(?<!\d )(?P<short>(?i:{words(_BEFORE_NUMBER)}))\. ?(?=#?\d|[IVX]{{1,6}}\b)", _expanded,
        "See No. 5, fig. 3 and vol. II.", "See Number 5, figure 3 and volume II."),
    row(rf"(?<![\w.'/-])(?P<short>{words(_BEFORE_YEAR)})\. ?(?=[12]\d{{3}}(?!\w))",
        lambda match: f"{_BEFORE_YEAR[match['short']]} ", "built ca. 1900", "built circa 1900"),
)  # fmt: skip
