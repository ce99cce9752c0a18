"""Prepare a text for speech: rewrite the characters that engines read badly, and lose nothing a listener needs.

Engines read numbers, abbreviations and symbols in their own language, so this module leaves them unchanged.
"""
# ruff: noqa: RUF001, RUF003 - these marks of other scripts are intended

import re
import unicodedata

# Letters in another shape: ligatures, wide and half width, Arabic forms, mathematical alphabets. Only these, because
# NFKC would also turn x² into x2, ½ into 1⁄2, and ﷺ into 18 characters.
_LETTER_SHAPE = re.compile(
    "[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufc5d\ufc64-\ufdc7\ufdf0-\ufdf9\ufe80-\ufefc"
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f\U0001d400-\U0001d7ff]"
)

# Inaudible characters: soft hyphens (engines read two words), zero-width spaces, word joiners, byte order marks,
# bidirectional controls, annotation and tag characters, variation selectors, the frame of a keycap (its digit stays).
_SILENT = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u20e3"
    "\U000e0000-\U000e01ef]"
)
# Joiners: within words of Arabic, Indic and Khmer scripts they are spelling; elsewhere they join emoji.
_JOINED_LETTER = "[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff]"
_JOINERS = re.compile(
    f"(?<![\u200c\u200d])(?:(?<={_JOINED_LETTER})[\u200c\u200d]++(?={_JOINED_LETTER})|(?P<stray>[\u200c\u200d]++))"
)

# Pictures only: engines read digits, arrows, ©, ™, ♯ and similar signs.
_EMOJI = (
    "[\u231a\u231b\u23e9-\u23fa\u2600-\u266c\u2670-\u2767\u2794\u2798-\u27af\u27b1-\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a\U0001f1e6-\U0001f202\U0001f210-\U0001f251"
    "\U0001f300-\U0001faff]"
)
_ONE_EMOJI = re.compile(_EMOJI)
_EMOJI_ROW = re.compile(rf" ?(?:{_EMOJI} ?)++(?P<mark>[.,!?;:…]?)")

_WIDE_SEPARATOR = re.compile(r"(?<=\d)[．，](?=\d)")

# A no-break space between groups of three digits is a thousands separator.
_GROUPED_NUMBER = re.compile(
    "(?<![\\w.,])(?<!\\d[\u00a0\u2007\u2009\u202f])[1-9]\\d{0,2}(?:[\u00a0\u2007\u2009\u202f]\\d{3})++(?!\\d)"
)

# Models know only the ASCII apostrophe and hyphen; they know “quotes” or skip them without harm.
_APOSTROPHE = re.compile("(?<=[^\\W\\d_])[’ʼ＇`´](?=[^\\W\\d_])")
_HYPHENS = str.maketrans({"\u2010": "-", "\u2011": "-"})

MINUS = "\u2212"

MAX_MARKS = 30
"""Combining marks that one letter keeps. Putting them in order takes time quadratic in their number, so the limit is
that of Unicode's Stream-Safe Text Format (UAX #15); no language comes near it."""

_SPACES = re.compile("[ \\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")


def normalise(text: str, *, keep_minus: bool = False) -> str:
    """Return the text in the form that engines read best; a second call changes nothing.

    The result is composed (NFC), without invisible characters and emoji, with plain spaces, hyphens, apostrophes and
    letter shapes. Emoji are removed, not read: reading them needs their names in the language of every voice, and a
    name in another language is worse than none. A text of only emoji becomes empty. The minus sign becomes a hyphen,
    unless a later step reads it.
    """
    text = _bound_marks(text)
    text = _LETTER_SHAPE.sub(lambda letter: unicodedata.normalize("NFKC", letter[0]), text)
    text = _WIDE_SEPARATOR.sub(lambda mark: unicodedata.normalize("NFKC", mark[0]), text)
    text = _SILENT.sub("", text).replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _JOINERS.sub(lambda row: "" if row["stray"] else row[0], unicodedata.normalize("NFC", text))
    text = _GROUPED_NUMBER.sub(lambda number: re.sub(r"\s", "", number[0]), text)
    text = _EMOJI_ROW.sub(lambda row: row["mark"] or " ", _SPACES.sub(" ", text))
    text = _APOSTROPHE.sub("'", text.translate(_HYPHENS))
    text = text if keep_minus else text.replace(MINUS, "-")
    return unicodedata.normalize("NFC", text).strip()


def emoji_of(text: str) -> str:
    """Return the emoji of a text, which `normalise` removes."""
    return "" if text.isascii() else "".join(_ONE_EMOJI.findall(text))


def _bound_marks(text: str) -> str:
    if text.isascii():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
