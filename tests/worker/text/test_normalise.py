"""A text is rewritten for engines without losing what a listener needs."""
# ruff: noqa: RUF001 - the letters and marks of other scripts are meant

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsworker.engines import Engine, EngineOptions, Utterance, find_engine
from ttsworker.text import split_sentences
from ttsworker.text.normalise import normalise

STRANGE = st.text(
    st.one_of(
        st.sampled_from(
            "ae1 \t\n.,’ʼ'\u0301\u0323\u00a0\u202f\u2009\u200b\u200c\u200d\u00ad\u2028\ufeff\ufe0f\u20e3😀🇩👍🏽"
        ),
        st.sampled_from("بमक्م\u094dﬁＡ𝓗½²™→0…\u037e\u2126か\u3099ﾃﾞ"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


def words(text: str) -> str:
    """The letters and digits of a text, whatever their shape; an apostrophe that Unicode has for a letter is none."""
    kept = "".join(c for c in text if (c.isalnum() or unicodedata.combining(c)) and c != "ʼ")
    return "".join(c for c in unicodedata.normalize("NFKD", kept) if c.isalnum())


@given(text=STRANGE)
def test_a_second_time_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(text=STRANGE)
def test_no_letter_and_no_digit_is_lost_or_moved(text: str) -> None:
    assert words(normalise(text)) == words(text)


@given(text=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"], exclude_characters="`"), max_size=80))
def test_plain_text_is_left_alone(text: str) -> None:
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301 re\u200d\u0301s l’e\u0301’x", "café rés l'é'x"),
        ("Oui 😀\u037e", "Oui;"),
        ("a\u00a0b\u3000c\u2003\u2009d\te", "a b c d e"),
        (" a  b ", "a b"),
        ("one\u2028two\u2029three\nfour", "one\ntwo\n\nthree\nfour"),
        ("\ufeffHel\u200blo\u2060", "Hello"),
        ("syn\u00adthe\u00adsis", "synthesis"),
        ("\u202bשלום\u202c \u200fעולם\u2069", "שלום עולם"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("wo\u200crd\u200d", "word"),
        ("1\u202f000\u202f000 km, 12\u00a0345,50 €", "1000000 km, 12345,50 €"),
        ("12345\u00a0678\u00a0901", "12345 678 901"),
        ("030\u00a0123 and 1\u00a0000\u00a00000 and 1 000", "030 123 and 1 000 0000 and 1 000"),
        ("don’t, М’я, l’eau, rock ’n’ roll", "don't, М'я, l'eau, rock ’n’ roll"),
        ("don`t, it´s, a `code` b", "don't, it's, a `code` b"),
        ("“Yes”, ‘no’, «oui», „ja“ — 1990–1995…", "“Yes”, ‘no’, «oui», „ja“ — 1990–1995…"),
        ("well‑known co‐op at −5", "well-known co-op at -5"),
        ("𝓗𝓮𝓵𝓵𝓸 ﬁre Ａ１ ﾃﾞｰﾀ ﻣﺮﺣﺒﺎ", "Hello fire A1 データ مرحبا"),
        ("x² ½ ™ № → ♯ © ❶ ﷺ", "x² ½ ™ № → ♯ © ❶ ﷺ"),
        ("，。！？「」", "，。！？「」"),
        ("１．２３，１，０００", "1.23,1,000"),
    ],
)
def test_what_engines_stumble_on_is_rewritten_and_the_rest_is_not(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello 😀 world 👍🏽", "Hello world"),
        ("Bye 😀. Great 👍👍!", "Bye. Great!"),
        ("One😀two", "One two"),
        ("I ❤️ the 👨\u200d👩\u200d👧 in 🇩🇪 🏴\U000e0067\U000e0062\U000e007f", "I the in"),
        ("1️⃣ first #️⃣", "1 first #"),
        ("😀 👍\n🎉", ""),
        ("", ""),
    ],
)
def test_emoji_are_not_heard(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.fixture(scope="module")
def engine() -> Engine:
    loaded = find_engine("hibari")(EngineOptions())
    loaded.load()
    return loaded


def spoken(engine: Engine, text: str) -> list[np.ndarray]:
    return [engine.synthesize([Utterance(piece, "heart")])[0] for piece in split_sentences(normalise(text), "en")]


@pytest.mark.parametrize(
    "text",
    [
        "See https://Example.Com/a.b?c=d&e=%20#f or write to Jane.Doe@Example.Org. Thanks!",
        "Great 👍🏽! I ❤️ it 👨\u200d👩\u200d👧… 🇩🇪 wins 1️⃣ : 0.",
        "It costs $1,234.56, i.e. −5 % of 1\u202f000\u202f000 km² at 10:30 on 3/4/2025, ½ cup, " + "9" * 60 + ".",
        "She said “Привет” and 你好。 مرحبا؟ नमस्ते। Then שלום. End.",
        "- first\n- second\n\n1. third… (fourth) [5] {6} <7>\t*8*",
        "wo\u00adrd \u202ert\u202c cafe\u0301 𝓗𝓮𝓵𝓵𝓸 ﬁre naïve Zürich",
        "a" * 600,
    ],
)
def test_the_embedded_voice_speaks_every_piece_that_has_an_english_word(engine: Engine, text: str) -> None:
    pieces = split_sentences(normalise(text), "en")
    for piece, audio in zip(pieces, spoken(engine, text), strict=True):
        if any(character.isascii() and character.isalnum() for character in piece):
            assert len(audio) > engine.sample_rate // 10
            assert float(np.abs(audio).max()) > 0.01


@pytest.mark.parametrize(
    ("typeset", "plain"),
    [
        ("The syn\u00adthe\u00adsis works.", "The synthesis works."),
        ("A cafe\u0301 downtown.", "A café downtown."),
        ("A well‑known voice.", "A well-known voice."),
        ("Some 1\u202f000 miles.", "Some 1000 miles."),
        ("Well done 😀.", "Well done."),
        ("I donʼt know.", "I don't know."),
    ],
)
def test_the_embedded_voice_says_the_same_only_after_normalisation(engine: Engine, typeset: str, plain: str) -> None:
    [expected] = spoken(engine, plain)
    assert np.array_equal(spoken(engine, typeset)[0], expected)
    [unprepared] = engine.synthesize([Utterance(typeset, "heart")])
    assert not np.array_equal(unprepared, expected)


def test_a_letter_keeps_a_bounded_number_of_marks() -> None:
    stacked = "Z" + "\u0316\u0301" * 50_000 + "algo e\u0301"
    assert normalise(stacked) == "Ź" + "\u0316" * 15 + "\u0301" * 14 + "algo é"
