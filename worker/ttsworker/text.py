"""Plain functions on text: masking for the logs and splitting for synthesis."""
# ruff: noqa: RUF001 - the marks of other scripts are meant

import re

MAX_PIECE_LENGTH = 250
"""Characters in one piece by default: about 15 s of speech, so that the first audio comes soon."""

# A sentence ends at . ! ? … (with closing quotes or brackets) before a space, at the full stops of scripts that put
# no space after them, or at an empty line. Possessive, and tried at the first mark of a row only: linear in time.
_BOUNDARY = re.compile(
    r"""(?<![.!?…])[.!?…]++["'”’»)\]]*+(?=\s)|[。！？｡]++[」』”’）]*+|(?<![।؟۔])[।؟۔]++(?=\s|$)|\n\s*\n"""
)
_CLAUSE = re.compile(r"[,;:](?=\s)|[—–、，；：]")
_SPACE = re.compile(r"\s")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Nr|vs|etc|approx|dept|fig|vol|ca|bzw|bspw|usw)\.$",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Hide the middle 60 % of a text, rounded up, by one `*` for each character."""
    shown = len(text) // 5
    return text[:shown] + "*" * (len(text) - 2 * shown) + text[len(text) - shown :]


def split_sentences(text: str, max_length: int = MAX_PIECE_LENGTH) -> list[str]:
    """Split a text into sentences of at most `max_length` characters.

    A longer sentence is cut at its last clause mark, else at its last space, else in the middle of a word. No character
    but the white space between two pieces is lost, none is doubled, and no piece is empty. Marks that follow a
    sentence without a word of their own stay with it where they fit.
    """
    if max_length < 1:
        message = f"max_length is {max_length}, but a piece has at least one character"
        raise ValueError(message)
    pieces: list[str] = []
    for sentence in _sentences(text):
        for piece in _bounded(sentence, max_length):
            speakable = any(character.isalnum() for character in piece)
            if pieces and not speakable and len(pieces[-1]) + 1 + len(piece) <= max_length:
                pieces[-1] += " " + piece
            else:
                pieces.append(piece)
    return pieces


def _sentences(text: str) -> list[str]:
    sentences, start = [], 0
    for boundary in _BOUNDARY.finditer(text):
        is_point = boundary.group() == "."
        if is_point and _ABBREVIATION.search(text[max(start, boundary.end() - 16) : boundary.end()]):
            continue
        sentences.append(text[start : boundary.end()])
        start = boundary.end()
    sentences.append(text[start:])
    return [stripped for sentence in sentences if (stripped := sentence.strip())]


def _bounded(sentence: str, max_length: int) -> list[str]:
    pieces, start = [], 0
    while start < len(sentence):
        window = sentence[start : start + max_length + 1]
        cut = _last_cut(window, max_length) if len(window) > max_length else len(window)
        pieces.append(window[:cut].strip())
        start += cut
    return [piece for piece in pieces if piece]


def _last_cut(window: str, max_length: int) -> int:
    """Find where to cut, never at 0; a clause mark in the first half is too early to be worth it."""
    marks = [match.end() for match in _CLAUSE.finditer(window) if max_length // 2 < match.end() <= max_length]
    spaces = [match.start() for match in _SPACE.finditer(window, 1)]
    return (marks or spaces or [max_length])[-1]
