"""From a text to a Piper model's numbers: clauses, phonemes, ids. Pure but for the phonemizer it is given.

A Piper voice learned phonemes with the marks of its texts between them, so that a question sounds like one. espeak-ng
prints no marks: a text is cut at them before, and each is put behind the phonemes of its clause.
"""
# ruff: noqa: RUF001 - the marks are intended

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

PAD, BEGIN, END = "_", "^", "$"
"""Between two phonemes, before the first, after the last."""

MARKS: Mapping[str, str] = {
    **dict.fromkeys(",،、，…", ","),
    **dict.fromkeys(";；؛—–", ";"),
    **dict.fromkeys(":：", ":"),
    **dict.fromkeys(".。।۔", "."),
    **dict.fromkeys("?？؟", "?"),
    **dict.fromkeys("!！", "!"),
}
"""Marks of texts, and what stands for them among the phonemes."""

ENDS_SENTENCE = frozenset({".", "?", "!"})

_ANY = re.escape("".join(MARKS))
_CUT = re.compile(rf"(?<![{_ANY}])([{_ANY}]++)[\"'”’»)\]}}]*+(?=\s|\Z)|([、，。：；！？।])")
"""Marks before a space or the end, and those of scripts that write no spaces."""

ReadAll = Callable[[Sequence[str]], list[list[str]]]
"""Reads texts: the phonemes of each, clause by clause."""

ESPEAK_CLAUSE = " "
"""Between clauses that espeak-ng makes of one of ours, mostly at the full stop of an abbreviation."""


def clauses(text: str) -> Iterator[tuple[str, str]]:
    """Yield the clauses of a text, each with the mark that ends it, "" after the last one where it has none.

    A full stop in the middle of a sentence is an abbreviation's: espeak-ng reads it.
    """
    start = 0
    for found in _CUT.finditer(text):
        marks = found[1] or found[2]
        if marks == "." and found.end() < len(text):
            continue
        words = text[start : found.start()].strip()
        start = found.end()
        yield words, "," if marks.startswith("..") else MARKS[marks[0]]
    if rest := text[start:].strip():
        yield rest, ""


def read_sentences(text: str, read: ReadAll) -> Iterator[str]:
    """Yield the phonemes of each sentence of a text, with marks, as Piper's own phonemizer does."""
    parts = [(words, mark) for words, mark in clauses(text) if words]
    if not parts:
        return
    sentence = ""
    for phonemes, (_, mark) in zip(read([words for words, _ in parts]), parts, strict=True):
        if not phonemes:
            continue
        sentence += ESPEAK_CLAUSE.join(phonemes) + mark
        if mark in ENDS_SENTENCE:
            yield decompose(sentence)
            sentence = ""
        elif mark:
            sentence += " "
    if sentence:
        yield decompose(sentence)


def decompose(phonemes: str) -> str:
    """Separate accents from their letters: each is a phoneme of its own."""
    return unicodedata.normalize("NFD", phonemes)


class PhonemeIds:
    """The ids of a model's phonemes."""

    def __init__(self, ids: Mapping[str, Sequence[int]], clusters: Sequence[Sequence[str]] = ()) -> None:
        self._ids = ids
        self._clusters = frozenset("".join(cluster) for cluster in clusters)
        self._longest = max(map(len, self._clusters), default=1)

    def __contains__(self, phoneme: str) -> bool:
        return phoneme in self._ids

    def encode(self, phonemes: str) -> tuple[list[int], list[str]]:
        """Return the ids of a sentence, with those around and between them, and the phonemes that have none."""
        ids, unknown = [*self._ids[BEGIN], *self._ids[PAD]], []
        for phoneme in self._merged(phonemes):
            if phoneme in self._ids:
                ids += [*self._ids[phoneme], *self._ids[PAD]]
            else:
                unknown.append(phoneme)
        return [*ids, *self._ids[END]], unknown

    def _merged(self, phonemes: str) -> Iterator[str]:
        """Yield the phonemes; vowels that the model knows together are one."""
        start = 0
        while start < len(phonemes):
            lengths = range(min(self._longest, len(phonemes) - start), 1, -1)
            length = next((each for each in lengths if phonemes[start : start + each] in self._clusters), 1)
            yield phonemes[start : start + length]
            start += length
