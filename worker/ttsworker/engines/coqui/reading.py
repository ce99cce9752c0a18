"""What a Coqui model's tokenizer makes of a text, and which characters it leaves out."""
# ruff: noqa: RUF001 - the signs are intended

import math
from collections.abc import Iterator
from typing import Any

from ttsworker.text import cut, heard

SYMBOLS = "#%&@§¶†‡\\^~+=<>$£€¥¢₹©®™°²³µ½¼¾×÷±→←↑↓≈≠≤≥√∞№"
"""Those that texts often have: a phonemizer reads some of them by name, and is asked once, while the model loads."""

TOKENS_OF_A_DIGIT = 12
"""About the most that a digit gets where numbers are written in words: seven hundred seventy-seven."""

TOKENS_OF_A_NAME = 10
"""Of a symbol that is read by name."""

TOKENS_OF_AN_IDEOGRAM = 4
"""Of a Chinese, Japanese or Korean character that a phonemizer reads."""


class Reading:
    """The reading rules of one model. Coqui's tokenizer drops every character that it has no token for."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known = frozenset(tokenizer.characters.vocab)
        self._blank = tokenizer.characters.blank_id
        self._tokens_of_a_digit = 1 if self._clean("7", None) == "7" and not tokenizer.phonemizer else TOKENS_OF_A_DIGIT
        self._named = frozenset(filter(self._is_named, SYMBOLS)) if tokenizer.phonemizer else frozenset()

    def unspoken(self, text: str, language: str | None) -> str:
        """Return the characters of the text that get no token, although a listener should hear them."""
        if self._tokenizer.phonemizer:  # it names the letters of every script
            return "".join(each for each in heard(text) if not each.isalnum() and each not in self._named)
        if self._known.issuperset(text.lower()):
            return ""
        # A cleaner writes numbers in words and removes some symbols; what it leaves is looked up one by one.
        vanished = [each for each in heard(text) if not each.isalnum() and not self._clean(each, language)]
        return "".join(vanished) + "".join(
            each for each in heard(self._clean(text, language)) if each not in self._known
        )

    def has_tokens(self, text: str, language: str | None) -> bool:
        """Return whether the model knows any of the characters; without one Coqui turns the blanks into noise."""
        if self._tokenizer.phonemizer:
            return any(map(str.isalnum, text)) or not self._named.isdisjoint(text)
        return self._count_tokens(text, language) > 0

    def estimate_tokens(self, text: str) -> int:
        """Estimate the tokens of a text without the cleaner and the phonemizer, which take long."""
        digits = sum(map(str.isdigit, text))
        named = sum(not each.isalnum() for each in heard(text))
        ideograms = sum(each >= "\u2e80" for each in text) if self._tokenizer.phonemizer else 0
        extra = digits * (self._tokens_of_a_digit - 1) + named * (TOKENS_OF_A_NAME - 1)
        return len(text) + extra + ideograms * (TOKENS_OF_AN_IDEOGRAM - 1)

    def parts(self, text: str, language: str | None, most_tokens: int) -> Iterator[str]:
        """Cut a text in halves until none has too many tokens; the tokenizer is asked where it may have."""
        may_have = len(text) > 1 and self.estimate_tokens(text) > most_tokens
        if may_have and self._count_tokens(text, language) > most_tokens:
            for half in cut(text, math.ceil(len(text) / 2)):
                yield from self.parts(half, language, most_tokens)
        else:
            yield text

    def _count_tokens(self, text: str, language: str | None) -> int:
        return sum(token != self._blank for token in self._tokenizer.text_to_ids(text, language=language))

    def _clean(self, text: str, language: str | None) -> str:
        cleaner = self._tokenizer.text_cleaner
        return str(cleaner(text, lang=language and language.split("-")[0])).strip() if cleaner else text

    def _is_named(self, symbol: str) -> bool:
        phonemes = self._tokenizer.phonemizer.phonemize(symbol, separator="", language=None)
        return any(map(str.isalpha, phonemes))
