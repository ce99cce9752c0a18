"""Cutting a sentence that is too long for one piece."""
# ruff: noqa: RUF001, RUF003 - the marks of other scripts are meant

import re
import unicodedata

# A mark inside a number or a time ("1,000", "10:30", "5–7") is none; those of scripts without spaces always are.
_CLAUSE = re.compile(r"[,;:](?=\s)|[—–](?!\d)|[،؛、，；：፣፤၊]")
_SPACE = re.compile(r"\s")

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9  # the combining class of the sign that binds two consonants of an Indic script
_SARA_AM = "\u0e33\u0eb3"  # vowels of Thai and Lao that are letters to Unicode, and yet a part of the syllable before
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


def cut(sentence: str, max_length: int) -> list[str]:
    """Cut at the last clause mark that fits, else at the last space, else in a word but in no written character."""
    pieces, start = [], 0
    while start < len(sentence):
        window = sentence[start : start + max_length + 1]
        end = _last_cut(window, max_length) if len(window) > max_length else len(window)
        pieces.append(window[:end].strip())
        start += end
    return [piece for piece in pieces if piece]


def _last_cut(window: str, max_length: int) -> int:
    """Find where to cut, never at 0; a clause mark in the first half is too early to be worth it."""
    marks = [match.end() for match in _CLAUSE.finditer(window) if max_length // 2 < match.end() <= max_length]
    spaces = [match.start() for match in _SPACE.finditer(window, 1)]
    if marks or spaces:
        return (marks or spaces)[-1]
    # A row of more than max_length marks on one letter is cut all the same.
    return next((end for end in range(max_length, 0, -1) if not _joined(window, end)), max_length)


def _joined(text: str, position: int) -> bool:
    """Whether the characters before and after a position are written as one, by Unicode's main rules for that."""
    before, after = text[position - 1], text[position]
    if unicodedata.category(after).startswith("M") or after == _ZERO_WIDTH_JOINER or ord(after) in _SKIN_TONES:
        return True
    if after in _SARA_AM or before == _ZERO_WIDTH_JOINER or unicodedata.combining(before) == _VIRAMA:
        return True
    if ord(before) in _FLAG_LETTERS and ord(after) in _FLAG_LETTERS:
        row = position
        while row and ord(text[row - 1]) in _FLAG_LETTERS:
            row -= 1
        return (position - row) % 2 == 1
    return "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff"
