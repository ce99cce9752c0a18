"""What espeak-ng makes of texts whose signs are written in words: each word is heard, in order."""

import re

import pytest

from ttsworker.engines.onnx.espeak import Espeak
from ttsworker.text import spoken_form

HEARD = {
    "de": [
        ("Es sind -5 °C.", "minus fünf Grad Celsius"),
        ("Das kostet 3,50 €.", "drei Euro fünfzig"),
        ("Das sind 1.234,50 €.", "tausend vier Euro fünfzig"),
        ("Er ist 1,80 m groß.", "eins Komma acht null Meter groß"),
        ("Am 3. Mai um 10:30 Uhr.", "dritten Mai zehn Uhr dreißig"),
        ("Von 5-10 km, 25 % mehr.", "fünf bis zehn Kilometer Prozent mehr"),
        ("z. B. Nr. 7", "zum Beispiel Nummer sieben"),
    ],
    "fr": [
        ("Il fait -5 °C.", "moins cinq degrés"),
        ("Cela coûte 3,50 €.", "euros cinquante"),
        ("Cela fait 1 234,50 €.", "mille euros cinquante"),
        ("Il mesure 1,80 m.", "virgule mètre"),
        ("Le train part à 10:30.", "heures trente"),
        ("De 5-10 km.", "kilomètres"),
    ],
    "es": [
        ("Hace -5 °C.", "menos cinco Celsius"),
        ("Cuesta 3,50 €.", "tres euros cincuenta"),
        ("Son 1.234,50 €.", "mil euros cincuenta"),
        ("Mide 1,80 m.", "coma ochenta metros"),
        ("A las 10:30.", "treinta"),
        ("De 5-10 km.", "cinco kilómetros"),
    ],
    "it": [
        ("Ci sono -5 °C.", "meno cinque gradi"),
        ("Costa 3,50 €.", "tre euro cinquanta"),
        ("Sono 1.234,50 €.", "mille euro cinquanta"),
        ("È alto 1,80 m.", "virgola ottanta metri"),
        ("Alle 10:30.", "dieci trenta"),
        ("Per 5-10 km.", "cinque dieci chilometri"),
    ],
    "pt": [
        ("Fazem -5 °C.", "Celsius"),
        ("Custa 3,50 €.", "cinquenta"),
        ("São R$ 1.234,50.", "mil cinquenta"),
        ("Mede 1,80 m.", "oitenta metros"),
        ("Às 10:30.", "trinta"),
        ("De 5-10 km.", "quilômetros"),
    ],
}
"""Texts, and words that must be heard of each: those whose ends the neighbours do not change."""


def sounds(program: Espeak, text: str) -> str:
    """Return the phonemes, without stress, length and spaces, which depend on the neighbours."""
    [clauses] = program.read([text])
    return re.sub("[ˈˌː -]", "", "".join(clauses))


@pytest.mark.parametrize(
    ("language", "text", "words"), [(language, *each) for language, pairs in HEARD.items() for each in pairs]
)
def test_every_word_is_heard_in_order(language: str, text: str, words: str) -> None:
    program = Espeak(language)
    rest = sounds(program, spoken_form(text, language))
    for word in words.split():
        before, found, rest = rest.partition(sounds(program, word))
        assert found, f"{word} is not heard in {before or rest}"


@pytest.mark.parametrize(("language", "text", "word"), [("fr", "Il fait -5.", "moins"), ("es", "Hace -5.", "menos")])
def test_without_the_words_some_are_lost(language: str, text: str, word: str) -> None:
    program = Espeak(language)
    assert sounds(program, word) not in sounds(program, text)
