"""German ordinals: 3. Mai. espeak-ng reads the full stop as the end of a sentence."""

import re

from ttsworker.text.european.tables import GERMAN

_UP_TO_31 = """
erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte vierzehnte fünfzehnte
sechzehnte siebzehnte achtzehnte neunzehnte zwanzigste einundzwanzigste zweiundzwanzigste dreiundzwanzigste
vierundzwanzigste fünfundzwanzigste sechsundzwanzigste siebenundzwanzigste achtundzwanzigste neunundzwanzigste
dreißigste einunddreißigste
"""
_ORDINALS = _UP_TO_31.split()

_WEAK, _OBLIQUE = "der die das", "am vom zum dem den des im beim bis ab seit nach vor"

_NOUNS = "|".join(
    [*GERMAN.months.split(), "Jahrhundert", "Jahrhunderts", "Klasse", "Platz", "Stock", "Etage", "Geburtstag"]
)
_DAY = re.compile(rf"(?:\b(?P<before>[A-Za-z]{{2,4}}) )?(?<![\w.,])(?P<number>[12]?\d|3[01])\. ?(?=(?:{_NOUNS})\b)")


def write_ordinals(text: str) -> str:
    """Return a text with the ordinals before months and a few nouns in words; the word before gives the ending."""
    return _DAY.sub(_ordinal, text)


def _ordinal(match: re.Match[str]) -> str:
    number = int(match["number"])
    if number == 0:
        return match[0]
    before = match["before"] or ""
    ending = "n" if before.lower() in _OBLIQUE.split() else "" if before.lower() in _WEAK.split() else "r"
    return f"{before}{' ' * bool(before)}{_ORDINALS[number - 1]}{ending} "
