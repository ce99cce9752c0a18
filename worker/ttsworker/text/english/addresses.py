"""Addresses, file names, telephone numbers and versions."""

import re

from ttsworker.text.english.rule import Rule, row, word_row

_ADDRESS_MARKS = {
    ".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", "?": "question mark",
    "=": "equals", "&": "and", "#": "hash", "%": "percent", "~": "tilde", ":": "colon",
}  # fmt: skip
_SPELLED_MARKS = {**_ADDRESS_MARKS, "*": "star"}
"""As they are read between the letters of a word that is spelled."""
_ADDRESS_MARK = re.compile(r"\s*([.@/_+?=&#%~:-])\s*")


def _address(match: re.Match[str]) -> str:
    return _ADDRESS_MARK.sub(lambda mark: f" {_ADDRESS_MARKS[mark[1]]} ", match["address"]).strip()


def _digits(match: re.Match[str]) -> str:
    """Read a telephone number digit by digit, with a short pause between its groups."""
    return ", ".join(" ".join(group) for group in re.findall(r"\d+", match[0]))


RULES: tuple[Rule, ...] = (
    word_row(r"(?:^|(?<= ))(?P<mark>[.@/_+?=&#%~:*-])(?=, )|(?<=, )(?P<last>[@/_+&#%~*-])(?=\.?(?:\s|$))",
         lambda match: _SPELLED_MARKS[match["mark"] or match["last"]], "A, 1, -, B", "A, 1, dash, B"),
    row(r"(?P<address>\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}+)", _address,
         "Write to me.too@example.org.", "Write to me dot too at example dot org."),
    row(r"\b(?:https?://|(?=www\.))(?P<address>[\w.@/+?=&#%~:-]{0,2000}[\w/])", _address,
         "See https://www.example.com/a-b.", "See www dot example dot com slash a dash b."),
    row(r"(?<![\w.@/-])(?P<address>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.(?:com|org|net|io|dev|ai|edu|gov|co\.uk)(?:/[\w.@/+?=&#%~:-]{0,2000}[\w/])?)"
        r"(?![\w-]|\.\w)", _address, "Go to my.example.com now.", "Go to my dot example dot com now."),
    row(r"(?<![\w./-])(?P<name>\w[\w-]{0,63})\.(?P<extension>txt|html?|md|py|js|ts|json|csv|pdf|docx?|xlsx?|pptx?|png|jpe?g|"
        r"gif|svg|zip|gz|mp3|mp4|wav|ya?ml|toml|xml|exe|sh)\b(?!\.?\w)", r"\g<name> dot \g<extension>",
        "Open notes.txt now.", "Open notes dot txt now."),
    row(r"(?<![\w.-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w.-]*\d)", _digits,
         "Call (555) 123-4567.", "Call 5 5 5, 1 2 3, 4 5 6 7."),
    row(r"(?<![\w.,])[1-9]\d{0,2}(?:\.0\d\d(?:\.\d{3}){1,8}+|(?:\.\d{3}){4,8}+)(?!\w|\.\d)",
         lambda match: match[0].replace(".", ""), "1.000.000 people", "1000000 people"),
    row(r"(?<![\w.,])v?\d{1,9}(?:\.\d{1,9}){2,8}+(?![\w.]*\d)", lambda match: match[0].replace(".", " point "),
         "Version 1.2.3 is out.", "Version 1 point 2 point 3 is out."),
)  # fmt: skip
