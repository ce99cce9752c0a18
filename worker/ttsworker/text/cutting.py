"""Cut a sentence that is too long for one piece."""
# ruff: noqa: RUF001, RUF003 - these marks of other scripts are intended

import re
import unicodedata

# A mark inside a number or a time ("1,000", "10:30", "5–7") is no clause mark. In scripts without spaces every one is.
_CLAUSE = re.compile(r"[,;:](?=\s)|[—–](?!\d)|[،؛、，；：፣፤၊]")
_SPACE = re.compile(r"\s")

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9  # the combining class of the sign that binds two consonants of an Indic script
_SARA_AM = "\u0e33\u0eb3"  # Thai and Lao vowels: Unicode calls them letters, but they belong to the syllable before
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


def cut(sentence: str, max_length: int) -> list[str]:
    """Cut at the last clause mark that fits, else at the last space, else in a word, never in a written character."""
    pieces, start = [], 0
    while start < len(sentence):
        window = sentence[start : start + max_length + 1]
        end = _last_cut(window, max_length) if len(window) > max_length else len(window)
        pieces.append(window[:end].strip())
        start += end
    return [piece for piece in pieces if piece]


def _last_cut(window: str, max_length: int) -> int:
    """Find where to cut, never at 0; ignore clause marks in the first half, which would make the piece too short."""
    marks = [match.end() for match in _CLAUSE.finditer(window) if max_length // 2 < match.end() <= max_length]
    spaces = [match.start() for match in _SPACE.finditer(window, 1)]
    if marks or spaces:
        return (marks or spaces)[-1]
    # One letter with more than max_length combining marks is cut all the same.
    return next((end for end in range(max_length, 0, -1) if not _joined(window, end)), max_length)


def _joined(text: str, position: int) -> bool:
    """Return whether the characters around a position form one written character, by Unicode's main rules."""
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
