"""What a voice makes of a text, told without reading it: what it leaves out, and how many phonemes it has."""
# ruff: noqa: RUF001 - the signs are intended

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from string import ascii_lowercase

from ttsworker.engines.onnx.phonemes import PhonemeIds, ReadAll, decompose
from ttsworker.text import heard, is_heard, is_plain

SYMBOLS = (
    "#%&@§¶†‡‰\\^~+=<>$£€¥¢₹₩₽₺₪₫₴¤©®™°²³¹⁰⁴ⁿ₁₂µªº½¼¾⅓⅔⅛×÷±¬¦¿¡¸←→↑↓↔⇒⇐⇔≈≠≤≥≡√∞∑∏∂∆∇∫∈∉∩∪⊂⊃∅∀∃∴∝∠⊥−∓№℃℉℗℠Ω"
    "①②③⑴ⅠⅡⅢⅣⅤⅧⅩ•●■□▲▼★☆☀☁☂☎☺☹♀♂♠♣♥♦♪♫♭♮♯✓✔✗✘❤➔"
)
"""Those that texts often have. Some have names in some languages: espeak-ng is asked, once, while the voice loads."""

SCRIPTS: Mapping[str, str] = {
    "GREEK": "αλ", "CYRILLIC": "жд", "ARMENIAN": "աբ", "HEBREW": "אב", "ARABIC": "اب", "DEVANAGARI": "कम",
    "BENGALI": "কম", "GURMUKHI": "ਕਮ", "GUJARATI": "કમ", "TAMIL": "கம", "TELUGU": "కమ", "KANNADA": "ಕಮ",
    "MALAYALAM": "കമ", "SINHALA": "කම", "THAI": "กม", "MYANMAR": "ကမ", "GEORGIAN": "ამ", "ETHIOPIC": "ሀመ",
    "HANGUL": "한국", "HIRAGANA": "あの", "KATAKANA": "カメ", "CJK": "日本",
}  # fmt: skip
"""Scripts by the first word of their letters' names, and two letters of each: espeak-ng reads foreign ones by name."""

PER_LETTER = 1.4
"""Phonemes of a letter in a word of the voice's own script, with the marks of stress and length and the spaces."""

PER_SHORT_DIGIT, PER_LONG_DIGIT = 7.5, 10.5
"""Of a digit in a number of one or two digits, and in a longer one: seventy-seven, seven hundred and seventy-seven."""

PER_SYMBOL = 10.0
"""Of one that was not asked for, by its name."""

PER_FOREIGN_LETTER = 12.0
"""The same of a letter: "Thai letter" and a number."""

_PART = re.compile(r"[^\W\d_]++(?:['’][^\W\d_]++)*+|\d++|[^\w\s]|_")
_VOWEL = re.compile("[aeiouyà-öø-ÿāēīōūăĕĭŏŭąęįųőűœ]")
_SPOKEN = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
"""Kinds of characters that espeak-ng has names for in every script: letters and digits."""


class EspeakReading:
    """Of a voice whose phonemes are espeak-ng's."""

    def __init__(self, read: ReadAll) -> None:
        signs = SYMBOLS + ascii_lowercase
        counts = [len(decompose(" ".join(clauses))) for clauses in read([*signs, *SCRIPTS.values()])]
        self._names = dict(zip(signs, counts, strict=False))
        scripts = zip(SCRIPTS.items(), counts[len(signs) :], strict=True)
        self._scripts = {script: count / len(letters) for (script, letters), count in scripts}
        self._count_word = lru_cache(maxsize=10_000)(self._count_letters)

    def unspoken(self, text: str) -> str:
        """Return the characters that espeak-ng has no name for. It names the letters of every script."""
        if is_plain(text):
            return ""
        return "".join(each for each in heard(text) if not self._is_spoken(each))

    def count_phonemes(self, text: str) -> float:
        """Estimate the phonemes; never far below what espeak-ng makes of the text."""
        return sum(map(self._count, _PART.findall(text)))

    def _count(self, part: str) -> float:
        if part[0].isalpha():
            return self._count_word(part)
        if part.isdecimal():
            return len(part) * (PER_LONG_DIGIT if len(part) > 2 else PER_SHORT_DIGIT)
        return sum(self._names.get(sign, PER_SYMBOL if is_heard(sign) else 1) + 1 for sign in part)

    def _count_letters(self, word: str) -> float:
        script = unicodedata.name(word[0], "").partition(" ")[0]
        if script != "LATIN":
            return max(PER_LETTER, self._scripts.get(script, PER_FOREIGN_LETTER)) * len(word)
        if len(word) == 1 or word.isupper() or not _VOWEL.search(word.lower()):  # its letters are read one by one
            return sum(self._names.get(letter, PER_FOREIGN_LETTER) + 1 for letter in word.lower())
        return PER_LETTER * len(word)

    def _is_spoken(self, character: str) -> bool:
        if character in self._names:
            return self._names[character] > 0
        return unicodedata.category(character) in _SPOKEN


class TextReading:
    """Of a voice whose phonemes are the characters of the text."""

    def __init__(self, ids: PhonemeIds) -> None:
        self._ids = ids

    def unspoken(self, text: str) -> str:
        """Return the characters that have no id."""
        return "".join(each for each in heard(text) if not all(part in self._ids for part in decompose(each)))

    def count_phonemes(self, text: str) -> float:
        """Count the characters and their accents."""
        return len(decompose(text))
