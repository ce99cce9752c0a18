"""Abbreviations after which a sentence always goes on, and that the library does not know.

Only titles and words that announce another one: "etc." and its like may end a sentence, and the library's judgement of
what follows is as good as ours.
"""
# ruff: noqa: RUF001 - the letters of other scripts are meant

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
# One syllable of these scripts can be an answer: "네."
_SYLLABLES = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def needs_more(text: str, code: str) -> bool:
    """Whether a text that ends in a full stop ends in an abbreviation, in the language of that code."""
    match = _LAST_WORD.search(text)
    if not match:
        return False
    word = match[1]
    if word.lower() in _MORE.get(code, ()):
        return True
    # Initials: the library judges an English one by what follows ("vitamin C. It is") and overlooks many others.
    return code != "en" and len(word) == 1 and word.isalpha() and not _SYLLABLES.match(word)
