"""What a Coqui model's tokenizer makes of a text, and which characters it leaves out."""
# ruff: noqa: RUF001 - the signs are intended

from collections.abc import Iterator
from typing import Any

from ttsworker.text import heard

SYMBOLS = "#%&@§¶†‡\\^~+=<>$£€¥¢₹©®™°²³µ½¼¾×÷±→←↑↓≈≠≤≥√∞№"
"""Those that texts often have: a phonemizer reads some of them by name, and is asked once, while the model loads."""


class Reading:
    """The reading rules of one model. Coqui's tokenizer drops every character that it has no token for."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known = frozenset(tokenizer.characters.vocab)
        self._blank = tokenizer.characters.blank_id
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
        return any(token != self._blank for token in self._tokens(text, language))

    def _tokens(self, text: str, language: str | None = None) -> Iterator[int]:
        yield from self._tokenizer.text_to_ids(text, language=language)

    def _clean(self, text: str, language: str | None) -> str:
        cleaner = self._tokenizer.text_cleaner
        return str(cleaner(text, lang=language and language.split("-")[0])).strip() if cleaner else text

    def _is_named(self, symbol: str) -> bool:
        phonemes = self._tokenizer.phonemizer.phonemize(symbol, separator="", language=None)
        return any(map(str.isalpha, phonemes))
