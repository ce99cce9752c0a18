"""Abbreviations that never end a sentence and that the library sentencex does not know.

The lists have only titles and words that need a following word. Abbreviations such as "etc." may end a sentence; the
library decides that from the next word as well as this module could.
"""
# ruff: noqa: RUF001 - these letters of other scripts are intended

import re

_MORE: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "ar": "أ.د",
        "de": "abs bd dipl.-ing geb inkl tel",
        "en": "approx ch dr eq mr mrs ms prof vol",
        "es": "dña",
        "fr": "art dr me mgr mlle mme pr st ste bd janv",
        "hi": "डॉ श्री प्रो पं कु रु",
        "it": "pag",
        "nl": "mevr",
        "pl": "dr inż ks m.in św",
        "pt": "av pág",
        "ru": "им млн млрд напр рис св тыс",
        "sv": "t.ex",
        "th": "ดร นพ ผศ พญ รศ",
        "tr": "örn sn",
    }.items()
}

_LAST_WORD = re.compile(r"(?:^|[\s(\[\"'’«“„‘])([^\s(\[\"'’«“„‘]+)\.$")
# In these scripts one syllable can be a whole answer: "네."
_SYLLABLES = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def needs_more(text: str, code: str) -> bool:
    """Return whether a text that ends in a full stop ends in an abbreviation of this language."""
    match = _LAST_WORD.search(text)
    if not match:
        return False
    word = match[1]
    if word.lower() in _MORE.get(code, ()):
        return True
    # Initials: the library decides an English one by the next word ("vitamin C. It is") and misses many others.
    return code != "en" and len(word) == 1 and word.isalpha() and not _SYLLABLES.match(word)
