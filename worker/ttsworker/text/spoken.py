"""From the text of a request to what an engine reads aloud."""

from collections.abc import Callable, Mapping

from ttsworker.text import european
from ttsworker.text.english import verbalise as verbalise_english
from ttsworker.text.normalise import MINUS, normalise

VERBALISERS: Mapping[str, Callable[[str], str]] = {"en": verbalise_english, **european.VERBALISERS}
"""By language: what writes signs in words where engines skip them. Other languages are left to the engine."""


def spoken_form(text: str, language: str | None, *, signs_in_words: bool = True) -> str:
    """Return the normalised text, with its signs in words; `language` is a tag like `en-US`, None means English."""
    if not signs_in_words:
        return normalise(text)
    verbalise = VERBALISERS.get((language or "en").replace("_", "-").partition("-")[0].lower())
    if verbalise is None:
        return normalise(text)
    return verbalise(normalise(text, keep_minus=True)).replace(MINUS, "-")
