"""Signs in English texts: what is written, and what the embedded voice then reads."""
# ruff: noqa: RUF001 - the signs are intended

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttsworker.engines import EngineOptions
from ttsworker.engines.hibari.engine import HibariEngine
from ttsworker.text import english, spoken_form
from ttsworker.text.english import RULES, verbalise

Read = Callable[[str], str]

CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees"}
MAGNITUDES = {"": "", "k": "thousand", "m": "million", "M": "million", "bn": "billion", "B": "billion"}


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    """The phonemes of a text, without stress: that depends on how words are joined."""
    engine = HibariEngine(EngineOptions())
    engine.load()

    def phonemes(text: str) -> str:
        joined = " ".join(engine.phonemes(text, engine.voices[0].name))
        return " ".join("".join(sign for sign in joined if sign not in "ˈˌ.,!?—").split())

    yield phonemes
    engine.close()


@pytest.mark.parametrize(("before", "after"), [rule.example for rule in RULES])
def test_the_example_of_each_rule(before: str, after: str) -> None:
    assert verbalise(before) == after
    assert verbalise(after) == after


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.example[0])
def test_each_rule_is_needed_for_its_example(rule: english.Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(english, "RULES", tuple(other for other in RULES if other is not rule))
    before, after = rule.example
    assert verbalise(before) != after


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-03-05, at 10:30, 12,500 people came.",
        "Pages 10-20 of A-1, see 3/4/2025 and 9-to-5.",
        "A well-known 10-year-old. COVID-19, 24/7, mid-1990s.",
        "3,00,000 rupees are 3 lakh; 1,234,567.89 is a number.",
        "Is x < y? Then a -> b.",
        "Dr. Smith et al. (1999), vol. 3.",
        "It is 10:05:30 in U.S. cities.",
        "I have 5 in my bag, and 5 m left.",
        "An e-mail to @you about #1.",
        "1.5 million at 3.14 % each",
        "Wait...5 more. And ..7 too.",
        "From 1990 –1995, ISBN 978-3-16-148410-0.",
        "In 2020 1/2 of them left; on the 5 9/11 was remembered.",
        "At 10.00 am we met at 40°26'46\" north.",
    ],
)
def test_what_engines_read_well_stays(text: str) -> None:
    assert spoken_form(text, "en-US") == text


@pytest.mark.parametrize("language", ["de", "fr-FR", "zh", "pt_BR"])
def test_other_languages_are_left_to_their_engines(language: str) -> None:
    assert spoken_form("Es sind −5 °C, 5,50 €.", language) == "Es sind -5 °C, 5,50 €."


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The temperature is -5 today.", "The temperature is minus five today."),
        ('It says "-5".', "It says minus five."),
        ("It fell by .5 percent.", "It fell by zero point five percent."),
        ("It fell by -.5 percent.", "It fell by minus zero point five percent."),
        ("We lost -$1,200.50 there.", "We lost minus one thousand two hundred dollars and fifty cents there."),
        ("It costs 5,50 € each.", "It costs five euros and fifty cents each."),
        ("It costs 5 $ now.", "It costs five dollars now."),
        ("It costs $1.5 now.", "It costs one dollar and fifty cents now."),
        ("We need US$5 million.", "We need five million US dollars."),
        ("From $5–10 million a year", "From five to ten million dollars a year"),
        ("That is $5/month for 16GB.", "That is five dollars per month for sixteen gigabytes."),
        ("Because 5−3=2 and 3*4=12", "Because five minus three equals two and three times four equals twelve"),
        ("A 16:9 screen of 2 m²", "A sixteen to nine screen of two square meters"),
        ("He is 5'10\" tall.", "He is five feet ten inches tall."),
        ("Write to me@example.org today.", "Write to me at example dot org today."),
        ("At ≥5 or ~10 we stop.", "At at least five or about ten we stop."),
        ("Call 1-800-555-1234 now.", "Call one, eight zero zero, five five five, one two three four now."),
        ("Use version 5.0 now.", "Use version five point zero now."),
    ],
)
def test_the_embedded_voice_says_it(read: Read, text: str, spoken: str) -> None:
    assert read(spoken_form(text, "en-US")) == read(spoken)


@given(
    sign=st.sampled_from(["", "-", "−", "+"]),
    currency=st.sampled_from(list(CURRENCIES)),
    amount=st.integers(2, 999_999),
    magnitude=st.sampled_from(list(MAGNITUDES)),
    frame=st.sampled_from(["We have {} now.", "({})", "Change: {}, they say.", "{}", 'The words "{}" again']),
    trailing=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_sign_number_or_currency_is_lost(
    *, read: Read, sign: str, currency: str, amount: int, magnitude: str, frame: str, trailing: bool
) -> None:
    number = f"{amount:,}"
    behind = trailing and not magnitude
    written = f"{sign}{number} {currency}" if behind else f"{sign}{currency}{number}{magnitude}"
    heard = read(spoken_form(frame.format(written), "en-US"))
    words = {"": "", "+": "plus", "-": "minus", "−": "minus"}[sign]
    expected = f"{words} {number} {MAGNITUDES[magnitude]} {CURRENCIES[currency]}"
    rest = heard
    for word in expected.split():
        _, found, rest = rest.partition(read(word))
        assert found, f"{written}: {word!r} is not heard in {heard!r}"
