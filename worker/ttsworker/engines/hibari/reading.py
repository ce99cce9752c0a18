"""What hibari's reading rules make of a text: what they leave out, how long it lasts, and what to rewrite before them.

Everything but `phonemes` is cheap: it looks words and characters up in the library's own tables.
"""
# ruff: noqa: RUF001 - the signs are intended

import re
import string
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from hibari.g2p.normalize import ABBREV, TITLES
from hibari.g2p.normalize import normalize as written_out

from ttsworker.text import heard, is_plain

LIBRARY_ERRORS = (ArithmeticError, LookupError, TypeError, ValueError)
"""What the library's reading rules raise on some rare texts."""

LONGEST_NUMBER = 36
"""Digits: the library has number words up to decillions and fails beyond."""

LONGEST_WORD = 24
"""Letters: of a longer word that is not in its dictionary the library reads only so many."""

LONGEST_RUN = 16
"""Words, numbers and signs without a space: the library takes time with the cube of their number, here about 1 ms."""

SIGNS = "".join(map(chr, (*range(0xA1, 0x100), *range(0x2070, 0x2190)))) + "#$%&@\\^~+=<>→←"
"""Signs and letters of which the library knows some; it has a table of the letters of other scripts."""

PHONEMES_PER_LETTER = 1.6
"""Of a word that is not in the dictionary; about the most that was measured."""

PHONEMES_PER_FOREIGN_LETTER = 3.6
"""The same of words with other letters than those of ASCII, and of their names."""

_NAMED_BY_NUMBER = re.compile(r"-(?=\d)|(?<=\d)'")
"""Signs that have a name beside a number: minus, feet."""
_NAME_PHONEMES = 7

_MONEY = re.compile(r"[$£€¥₹₩] ?(?=\d)")
"""Currencies that the library reads before a number, and leaves out everywhere else."""
_CURRENCY_PHONEMES = 9

_QUOTES = str.maketrans("", "", '"“”„')
_MARKS = re.compile(r"[!?.,;:…—–](?:\s?[!?.,;:…—–]){3,}")
_LONG_NUMBER = re.compile(rf"\d(?:,?\d){{{LONGEST_NUMBER},}}")
_ENCLOSED_NUMBER = re.compile("[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
"""①, ⑴, ⒈, ❶ and the like; it leaves them out beside letters, and joins them to digits."""

_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")
_PART = re.compile(r"[A-Z]++[^\W\d_A-Z]*+|[^\W\d_A-Z]++|\d[\d.,]*+|.", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]++")
_LONG_DIGITS = re.compile(r"\d[\d,]{2,}")
_VOWEL = re.compile("[aeiouy]")
_ONLY_WORDS = re.compile(r"(?:[A-Za-z' ]++|[,;:?!](?![,;:?!.]))*+\.?")
_SHORTENED = frozenset({*TITLES, *(word for word in ABBREV if word.isalpha())})
"""Words that the library writes out, without a full stop."""


class Reading:
    """The reading rules of one accent."""

    def __init__(self, g2p: Any) -> None:
        sounds = {sign: g2p(sign) for sign in SIGNS + string.ascii_letters + string.digits}
        self._spoken = {sign for sign, sound in sounds.items() if any(map(str.isalpha, sound))}
        self._spoken |= {*string.ascii_letters, *g2p.oov.cin}
        self._names = {sign: len(sound) + 1 for sign, sound in sounds.items() if sign in self._spoken}
        self._dictionaries = (g2p.lexicon.golds, g2p.lexicon.silvers)
        self._word_phonemes = lru_cache(maxsize=10_000)(self._count_word)

    def unspoken(self, text: str) -> str:
        """Return the characters that the library leaves out, although a listener should hear them."""
        if is_plain(text):
            return ""
        text = _MONEY.sub("", self.rewrite(text))
        return "".join(each for each in heard(text) if each not in self._spoken and not each.isdecimal())

    def rewrite(self, text: str) -> str:
        """Rewrite what the library fails on, or needs too long for."""
        return rewrite(text, lambda word: bool(self._known_phonemes(word)))

    def count_phonemes(self, text: str) -> float:
        """Estimate the phonemes of a text; never far below what `phonemize` returns for it."""
        words = _WORD.findall(text)
        if _ONLY_WORDS.fullmatch(text) and _SHORTENED.isdisjoint(words) and not _RUN.search(text):
            return self._count_words(text, words)  # most sentences: nothing is rewritten
        text = self._written_out(self.rewrite(text))
        count = self._count_words(text, _WORD.findall(text))
        count += sum(self._names.get(sign, 0) for sign in _WORD.sub("", text))
        count += _NAME_PHONEMES * len(_NAMED_BY_NUMBER.findall(text))
        # Words such as "hundred" and "thousand": more of them in long numbers.
        count += 6 * sum(map(len, _LONG_DIGITS.findall(text))) + _CURRENCY_PHONEMES * len(_MONEY.findall(text))
        return count

    def _count_words(self, text: str, words: Sequence[str]) -> float:
        """Count the phonemes of the words, and one for every other character."""
        return sum(map(self._word_phonemes, words)) + len(text) - sum(map(len, words))

    def _written_out(self, text: str) -> str:
        """Return the text with units, abbreviations and symbols in words, as the library's rules first write it."""
        with suppress(*LIBRARY_ERRORS):
            return str(written_out(text))
        return text

    def _count_word(self, word: str) -> float:
        if len(word) > 1 and (known := self._known_phonemes(word) or self._known_phonemes(word.lower())):
            return known
        if len(word) == 1 or word.isupper() or not _VOWEL.search(word.lower()):
            return sum(self._names.get(letter, PHONEMES_PER_FOREIGN_LETTER) for letter in word)
        return len(word) * (PHONEMES_PER_LETTER if word.isascii() else PHONEMES_PER_FOREIGN_LETTER)

    def _known_phonemes(self, word: str) -> int:
        found = next(filter(None, (dictionary.get(word) for dictionary in self._dictionaries)), "")
        return max(len(each or "") for each in found.values()) if isinstance(found, dict) else len(found)


def rewrite(text: str, is_known: Callable[[str], bool]) -> str:
    """Rewrite what the library fails on, or needs too long for; `is_known` says whether its dictionary has a word.

    It reads numbers beyond its words digit by digit, ⑴ as 1, and İ as I. Beside a quotation mark it skips numbers and
    currencies, and does not find words that it knows. Of a row of marks the first three say it all.
    """
    text = _LONG_NUMBER.sub(lambda number: " ".join(number[0].replace(",", "")), text)
    text = _ENCLOSED_NUMBER.sub(lambda number: f" {unicodedata.numeric(number[0]):g} ", text)
    text = _MARKS.sub(lambda marks: "".join(marks[0].split())[:3], text.translate(_QUOTES).replace("İ", "I"))
    return _RUN.sub(lambda run: " ".join(_short_runs(run[0], is_known)), text)


def _short_runs(run: str, is_known: Callable[[str], bool]) -> Iterator[str]:
    """Break a text without spaces between its words, numbers and signs, and a word that is too long."""
    parts = [piece for part in _PART.findall(run) for piece in _short_words(part, is_known)]
    for start in range(0, len(parts), LONGEST_RUN):
        yield "".join(parts[start : start + LONGEST_RUN])


def _short_words(part: str, is_known: Callable[[str], bool]) -> Iterator[str]:
    if len(part) <= LONGEST_WORD or not part.isalpha() or is_known(part.lower()):
        yield part
        return
    for start in range(0, len(part), LONGEST_WORD):
        end = start + LONGEST_WORD
        yield part[start:end] + " " * (end < len(part))
