"""Write signs in words in languages with a decimal comma. Pure, and linear in the text.

espeak-ng reads whole numbers, percent signs and common units itself, but not every minus sign, date and abbreviation;
and Coqui's models cut a text at every comma and colon before espeak-ng sees it, and turn hyphens into spaces.
"""

from collections.abc import Callable

from ttsworker.text.european.german import write_ordinals
from ttsworker.text.european.rules import Verbaliser
from ttsworker.text.european.tables import FRENCH, GERMAN, ITALIAN, PORTUGUESE, SPANISH

_german = Verbaliser(GERMAN)

VERBALISERS: dict[str, Callable[[str], str]] = {
    "de": lambda text: write_ordinals(_german(text)),
    "fr": Verbaliser(FRENCH),
    "es": Verbaliser(SPANISH),
    "it": Verbaliser(ITALIAN),
    "pt": Verbaliser(PORTUGUESE),
}
