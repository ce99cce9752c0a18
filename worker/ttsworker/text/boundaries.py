"""Find the ends of sentences with the library sentencex, and correct the ends that are wrong for speech.

Each correction below was measured with sentencex 1.0.32, and `tests/worker/text/test_sentences.py` has the case.
"""
# ruff: noqa: RUF001 - these marks of other scripts are intended

import re
from collections.abc import Iterator

import sentencex

from ttsworker.text.abbreviations import needs_more

# The library's time grows with the square of the length of a Chinese or Japanese text (4,096 characters take 40 ms,
# 65,536 take 6 s), so it gets only this many characters at once. It ignores ends among the last of them, because the
# text after a mark decides whether the mark ends a sentence.
_WINDOW, _LOOK_AHEAD = 512, 64

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WIDE_STOP = re.compile(r"(?<=[。！？｡])[0-9a-z]")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_HEBREW_SHORT = re.compile(r'(?<=[\u05d0-\u05ea])"(?=[\u05d0-\u05ea])')
_ELLIPSIS = re.compile(r"…(?=\s+(\S))")
_INNER_MARK = re.compile(r"[.!?](?=[\w/&=])")
_QUOTE = re.compile(r"""["“”„‟«»‹›‘’‚`「」『』《》()（）\[\]{}<>]|(?<!\w)'|'(?!\w)""")
_CLOSING = re.compile(r"""[.!?…]*["'”’»)\]*_]+(?=\s|$)|[」』）》】]+""")

_EMPTY_LINE = re.compile(r"\n\s*\n")
_BULLET = re.compile(r"[ \t]*[-*+•‣◦▪·–—][ \t]+\S")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+\S")
_NUMBERED = re.compile(r"[ \t]*\(?(?:\d{1,3}|[^\W\d_])[.)][ \t]+\S")
_LINE_END = re.compile(r"[.:;!?…。！？।؟۔][\"'”’»)\]]*\s*$")

_NUMBER_ONLY = re.compile(r"\s*[(\[]?\d{1,3}\.\s*")
_GLUED = re.compile(r"[^\W\d_A-Z]{2}[.!?]+$")
_SENTENCE_START = re.compile(r"[^\W\d_a-z][^\W\d_A-Z]|[^\w/&=@%+~#-]|$")
_SHORTENED = re.compile(r"(?:^|\W)(?:[^\W\d_]{1,3}[.-]+)+[^\W\d_]{1,3}\.\s*$")
_DASH = re.compile(r"[—–]\s*")


def sentences(text: str, language: str | None = None, *, inside_quotes: bool = False) -> Iterator[str]:
    """Yield the sentences of a text without surrounding white space; on request also those in quotes and brackets."""
    code = _library_code(language)
    for block in _blocks(text):
        start = 0
        for end in _corrected(block, code, _ends(_shadow(block, inside_quotes=inside_quotes), code)):
            if sentence := block[start:end].strip():
                yield sentence
            start = end


def _library_code(language: str | None) -> str:
    """Return the lower-case language of a tag, because the library treats `de-AT` and `DE` as English."""
    return re.split(r"[-_]", language.strip().lower())[0] if language and language.strip() else "en"


def _blocks(text: str) -> Iterator[str]:
    """Split at empty lines, around headings and before list items, where sentences end without a mark.

    The library finds list items only in some languages, and no headings.
    """
    for paragraph in _EMPTY_LINE.split(text):
        lines: list[str] = []
        in_list = False
        for line in paragraph.split("\n"):
            # "... of\n1914. Then" and "... on\n12. May" are wrapped lines, not list items
            numbered = bool(_NUMBERED.match(line)) and (in_list or not lines or bool(_LINE_END.search(lines[-1])))
            if _BULLET.match(line) or numbered or _HEADING.match(line) or (lines and _HEADING.match(lines[-1])):
                yield "\n".join(lines)
                lines, in_list = [], numbered or bool(_BULLET.match(line))
            lines.append(line)
        yield "\n".join(lines)


def _shadow(block: str, *, inside_quotes: bool) -> str:
    """Replace characters that the library handles badly, one for one, so that its positions fit the original text."""
    # The library panics at white space of two or more bytes before a mark, and refuses half a surrogate pair.
    shadow = _SURROGATE.sub("\ufffd", re.sub(r"\s", " ", block))
    # A Chinese or Japanese stop always ends a sentence, but the library ignores it before a digit or small letter.
    shadow = _WIDE_STOP.sub("X", shadow)
    # It splits https://Example.Com/Path?Q=1 at every mark.
    shadow = _ADDRESS.sub(lambda address: _INNER_MARK.sub("x", address[0]), shadow)
    # The double dash of a Hebrew abbreviation (ד"ר) is no quotation mark: it would look for the end of one.
    shadow = _HEBREW_SHORT.sub("x", shadow)
    # It never ends a sentence at an ellipsis of one character.
    shadow = _ELLIPSIS.sub(lambda mark: mark[0] if mark[1].islower() else "!", shadow)
    return _QUOTE.sub(",", shadow) if inside_quotes else shadow


def _ends(shadow: str, code: str) -> Iterator[int]:
    """Yield the positions where the library ends a sentence, including the end of the text."""
    start = 0
    while len(shadow) - start > _WINDOW:
        trusted = start
        for end in _library_ends(shadow[start : start + _WINDOW], code):
            if end <= _WINDOW - _LOOK_AHEAD:
                trusted = start + end
                yield trusted
        if trusted == start:  # no sentence ends in this window: continue after it, at a space if it has one
            space = shadow.rfind(" ", start + 1, start + _WINDOW - _LOOK_AHEAD)
            trusted = space if space > 0 else start + _WINDOW - _LOOK_AHEAD
        start = trusted
    for end in _library_ends(shadow[start:], code):
        yield start + end


def _library_ends(shadow: str, code: str) -> Iterator[int]:
    end = 0
    for sentence in sentencex.segment(code, shadow):
        end += len(sentence)
        yield end


def _corrected(block: str, code: str, ends: Iterator[int]) -> Iterator[int]:
    start = 0
    for end in ends:
        closing = _CLOSING.match(block, end)  # `.)` and `."` without their opening mark: they belong to the sentence
        place = closing.end() if closing and not block[end - 1].isspace() else end
        if place == len(block) or (place > start and not _goes_on(block, start, place, code)):
            yield place
            start = place


def _goes_on(block: str, start: int, end: int, code: str) -> bool:
    """Return whether the sentence from `start` continues at `end`, although the library ends it there."""
    before, after = block[max(start, end - 40) : end], block[end : end + 40].lstrip()
    if _NUMBER_ONLY.fullmatch(before) and end - start == len(before):
        return True  # "1. First": the number of a list item is no sentence
    if _DASH.sub("", after, count=1)[:1].islower() and _DASH.match(after):
        return True  # "— ¡Ven! —dijo": a dash introduces the speaker
    if _SHORTENED.search(before) and (after[:1].islower() or after[:1].isdecimal()):
        return True  # "100 av. J.-C. fut", "พ.ศ. 2566"
    if before[-1:].isspace() or before[-1:] not in ".!?":
        return needs_more(before.rstrip(), code)
    # No space after the mark: "it ends.Then" does end, but "Node.JS", "A.N.P.E." and "Q?A" are words.
    return not (_SENTENCE_START.match(block, end) and (not block[end].isalnum() or _GLUED.search(before)))
