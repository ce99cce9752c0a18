"""Signs in languages with a decimal comma: what is written, so that neither Coqui nor espeak-ng loses any of it."""
# ruff: noqa: RUF001 - the signs are intended

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsworker.text import spoken_form

WRITTEN = {
    "de": [
        ("Es sind −5 °C, also -2,5 %.", "Es sind minus 5 Grad Celsius, also minus 2 Komma 5 %."),
        ("Das kostet 5,50 € oder 1.234,05 €.", "Das kostet 5 Euro 50 oder 1234 Euro 5."),
        ("Es sind €5, -€3 und $7,00.", "Es sind 5 Euro, minus 3 Euro und 7 Dollar."),
        ("Rund 1,5 Mio. Menschen, 3 Mrd. €", "Rund 1 Komma 5 Millionen Menschen, 3 Milliarden Euro"),
        ("3,05 km, 2 m², 100 km/h", "3 Komma 0 5 Kilometer, 2 Quadratmeter, 100 Kilometer pro Stunde"),
        ("um 10:30 Uhr, 9.05 Uhr und 12:00", "um 10 Uhr 30, 9 Uhr 5 und 12 Uhr"),
        ("Am 27.11.2026, vom 3. Mai", "Am siebenundzwanzigsten November 2026, vom dritten Mai"),
        ("Der 1. Juni 2026-06-02", "Der erste Juni zweiter Juni 2026"),
        ("Es kostet 0,99 €, im 17. Jh.", "Es kostet 99 Cent, im siebzehnten Jahrhundert"),
        ("im 19. Jahrhundert, 31. Dezember", "im neunzehnten Jahrhundert, einunddreißigster Dezember"),
        ("z. B. Nr. 5, d.h. ca. 7 bzw. S. 9", "zum Beispiel Nummer 5, das heißt circa 7 beziehungsweise Seite 9"),
        ("Seiten 5-10, 1990–1995", "Seiten 5 bis 10, 1990 bis 1995"),
        ("Es sind 5 €–10 €, 20°-25°, 5%-10%.", "Es sind 5 Euro bis 10 Euro, 20° bis 25°, 5% bis 10%."),
        ("Es sind €-5, −½ und - 5 Stück.", "Es sind minus 5 Euro, minus ½ und - 5 Stück."),
        ("- 5 Äpfel\n- 6 Birnen", "- 5 Äpfel\n- 6 Birnen"),
        ("$1,200.50, $1.50 oder 1'000'000", "1200 Dollar 50, 1 Dollar 50 oder 1000000"),
        ("Version 1.2.3, 3.14, 1.000.000", "Version 1 Punkt 2 Punkt 3, 3 Punkt 1 4, 1000000"),
    ],
    "fr": [
        ("Il fait -5 °C, 3,14 km.", "Il fait moins 5 degrés Celsius, 3 virgule 14 kilomètres."),
        ("Ça coûte 5,50 € ou 1.234,00 €.", "Ça coûte 5 euros 50 ou 1234 euros."),
        ("1 € ou 2 €, £3", "1 euro ou 2 euros, 3 livres"),
        ("Le 1/11/2026 à 10h30 et 14:00", "Le 1er novembre 2026 à 10 heures 30 et 14 heures"),
        ("M. Dupont et Mme Petit, n° 5", "Monsieur Dupont et Madame Petit, numéro 5"),
        ("0,05 € ou £0,50", "5 centimes ou 0 livres 50"),
        ("10-15 ans, 0,05 %", "10 à 15 ans, 0 virgule 0 5 %"),
        ("10 000 habitants, 5 000,50 €, 1 234 567", "10000 habitants, 5000 euros 50, 1234567"),
        ("16 Go, 100 km/h, 3 M€", "16 gigaoctets, 100 kilomètres par heure, 3 millions d'euros"),
        ("p. ex. env. 5 m²", "par exemple environ 5 mètres carrés"),
    ],
    "es": [
        ("Hace -5 °C, 3,14 km.", "Hace menos 5 grados Celsius, 3 coma 14 kilómetros."),
        ("Cuesta 5,50 € o $3.", "Cuesta 5 euros con 50 o 3 dólares."),
        ("El 27/11/2026 a las 10:30", "El 27 de noviembre de 2026 a las 10 y 30"),
        ("El Sr. López, n.º 5, p. ej.", "El señor López, número 5, por ejemplo"),
        ("De 5-10 kg a 100 km/h", "De 5 a 10 kilogramos a 100 kilómetros por hora"),
        ("3.14 de 1.234.567", "3 punto 14 de 1234567"),
        ("en EE. UU. 1 km²", "en Estados Unidos 1 kilómetro cuadrado"),
    ],
    "it": [
        ("Sono -5 °C, 3,14 km.", "Sono meno 5 gradi Celsius, 3 virgola 14 chilometri."),
        ("Costa 5,50 € o 1 €.", "Costa 5 euro e 50 o 1 euro."),
        ("Il 1/5/2026 alle 10:30", "Il primo maggio 2026 alle 10 e 30"),
        ("Il 17/3/1861, 0,50 €", "Il 17 marzo 1861, 50 centesimi"),
        ("Il Sig. Rossi, pag. 5", "Il signor Rossi, pagina 5"),
        ("ad es. 5-10 m², 1 km/h", "ad esempio 5 a 10 metri quadrati, 1 chilometro all'ora"),
    ],
    "pt": [
        ("São -5 °C, 3,14 km.", "São menos 5 graus Celsius, 3 vírgula 14 quilômetros."),
        ("Custa R$ 1.234,56 ou €5.", "Custa 1234 reais e 56 ou 5 euros."),
        ("Em 27/11/2026 às 10:30", "Em 27 de novembro de 2026 às 10 horas e 30"),
        ("O Sr. Silva, nº 5, p. ex.", "O senhor Silva, número 5, por exemplo"),
        ("5-10 kg, 100 km/h", "5 a 10 quilogramas, 100 quilômetros por hora"),
    ],
}

WORDS = {"de": ("minus", "Komma", "Grad Celsius"), "fr": ("moins", "virgule", "degrés Celsius"),
         "es": ("menos", "coma", "grados Celsius"), "it": ("meno", "virgola", "gradi Celsius"),
         "pt": ("menos", "vírgula", "graus Celsius")}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "before", "after"), [(code, *row) for code, rows in WRITTEN.items() for row in rows], ids=str
)
def test_each_kind_is_written_in_words(language: str, before: str, after: str) -> None:
    assert spoken_form(before, language) == after
    assert spoken_form(after, language) == after


@pytest.mark.parametrize("language", list(WRITTEN))
@pytest.mark.parametrize(
    "text",
    [
        "COVID-19, A4, 3-1, 1:0",
        "030-1234567, 50%, 2026, 7",
        "Es ist so. Ja - 5.",
        "a.b, x-1, 1,2,3",
        "192.168.1",
        "12 345",
    ],
)
def test_the_digits_of_doubtful_numbers_stay(language: str, text: str) -> None:
    shown = spoken_form(text, language)
    assert re.findall(r"\d+", shown) == re.findall(r"\d+", text)


@pytest.mark.parametrize("tag", ["de-AT", "fr_CA", "pt-BR", "ES"])
def test_the_country_does_not_matter(tag: str) -> None:
    assert spoken_form("-5", tag) == f"{WORDS[tag[:2].lower()][0]} 5"


@given(
    language=st.sampled_from(sorted(WRITTEN)),
    whole=st.integers(2, 9999),
    decimals=st.from_regex(r"[1-9]{1,3}", fullmatch=True),
    grouped=st.booleans(),
    frame=st.sampled_from(["{}", "A {}.", "({}), b"]),
)
@settings(max_examples=300, deadline=None)
def test_no_sign_digit_or_unit_is_lost(*, language: str, whole: int, decimals: str, grouped: bool, frame: str) -> None:
    number = f"{whole:,}".replace(",", ".") if grouped else str(whole)
    minus, comma, degrees = WORDS[language]
    shown = spoken_form(frame.format(f"-{number},{decimals} °C"), language)
    said = " ".join(decimals) if language == "de" else decimals
    assert f"{minus} {whole} {comma} {said} {degrees}" in shown
    assert not re.search(r"\d[.,:-]\d", shown)
