"""Split a text into the pieces that an engine speaks one by one."""

from collections.abc import Iterator

from ttsworker.text.boundaries import sentences
from ttsworker.text.cutting import cut

MAX_PIECE_LENGTH = 250
"""Default limit of characters in one piece: about 15 s of speech, so that the first audio comes soon."""


def split_sentences(text: str, language: str | None = None, max_length: int = MAX_PIECE_LENGTH) -> list[str]:
    """Split a text into sentences of at most `max_length` characters.

    `language` is a tag like `de` or `pt-BR`; None and unknown languages use the rules of English. A longer sentence is
    cut at its last clause mark, else at its last space, else in the middle of a word. Splitting loses only the white
    space between two pieces, repeats no character, and returns no empty piece. Marks without a word of their own stay
    with the sentence before them if they fit. Raises ValueError for a `max_length` below 1.
    """
    if max_length < 1:
        message = f"max_length is {max_length}, but must be at least 1"
        raise ValueError(message)
    pieces: list[str] = []
    for piece in _pieces(text, language, max_length):
        speakable = any(character.isalnum() for character in piece)
        if pieces and not speakable and len(pieces[-1]) + 1 + len(piece) <= max_length:
            pieces[-1] += " " + piece
        else:
            pieces.append(piece)
    return pieces


def _pieces(text: str, language: str | None, max_length: int) -> Iterator[str]:
    for sentence in sentences(text, language):
        if len(sentence) <= max_length:
            yield sentence
            continue
        # The library keeps quotations and brackets whole. Cut one that is too long at the sentences inside it first.
        for part in sentences(sentence, language, inside_quotes=True):
            yield from cut(part, max_length)
