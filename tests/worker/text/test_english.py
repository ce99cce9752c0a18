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
from ttsworker.text.english.dates import ordinal
from ttsworker.text.english.rule import Rule

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
def test_each_rule_is_needed_for_its_example(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(english, "RULES", tuple(other for other in RULES if other is not rule))
    before, after = rule.example
    assert verbalise(before) != after


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-03-05, at 10:30, 12,500 people came.",
        "Pages 10-20 of A-1, see 3/4/2025 and 9-to-5.",
        "A well-known 10-year-old. COVID-19, 22/7, mid-1990s.",
        "3,00,000 rupees are 3 lakh; 1,234,567.89 is a number.",
        "Is x < y? Then a -> b.",
        "Dr. Smith et al. (1999), Ms. Lee.",
        "It is 10:05:30 in U.S. cities.",
        "I have 5 in my bag, and 5 m left.",
        "An e-mail to @you about #1.",
        "1.5 million at 3.14 % each",
        "Wait...5 more. And ..7 too.",
        "In May 10-15 people paid 1,000 or 05 at 3.5.",
        "From 1990 –1995, ISBN 978-3-16-148410-0.",
        "In 2020 1/2 of them left; on the 5 9/11 was remembered.",
        "At 10.00 am we met at 40°26'46\" north.",
    ],
)
def test_what_engines_read_well_stays(text: str) -> None:
    assert spoken_form(text, "en-US") == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5pm, 5 p.m., 10:30pm", "five PM, five PM, ten thirty PM"),
        ("14:05", "fourteen oh five"),
        ("10:00", "ten o'clock"),
        ("The 21st, the 3rd, the 112th", "The twenty first, the third, the one hundred twelfth"),
        ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
        ("in 1999, 2005 and 2026", "in nineteen ninety nine, two thousand five and twenty twenty six"),
        ("Chapter IV, World War II, Part III", "Chapter four, World War two, Part three"),
        ("Henry VIII, Louis XIV", "Henry the eighth, Louis the fourteenth"),
        ("I see a MIX of CD and DC.", "I see a mix of C D and D C."),
        ("B12, MP3, 4K, F-16, x86", "B twelve, M P three, four K, F sixteen, X eighty six"),
        ("2/3 and 7/8", "two thirds and seven eighths"),
        ("5%, 90°, 21°C", "five percent, ninety degrees, twenty one degrees Celsius"),
        ("#1 of R&D", "number one of R and D"),
        ("Dr. Smith vs. St. Paul", "Doctor Smith versus Saint Paul"),
        ("w/ milk, w/o milk", "with milk, without milk"),
        ("60 mph, 5 lb, 10km", "sixty miles per hour, five pounds, ten kilometers"),
        ("pages 10-20", "pages ten to twenty"),
    ],
)
def test_what_the_embedded_voice_reads_itself_stays(read: Read, text: str, words: str) -> None:
    assert spoken_form(text, "en-US") == text
    assert _letters(read(text)) == _letters(read(words))


def _letters(phonemes: str) -> str:
    return phonemes.replace(" ", "").replace("”", "")


@pytest.mark.parametrize("language", ["nl", "pl-PL", "zh", "sv_SE"])
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
        ("It costs 5 000,50 € now.", "It costs five thousand euros and fifty cents now."),
        (
            "It costs ₹1,00,000.50 or US$-5M now.",
            "It costs one hundred thousand rupees and fifty paise or minus five million US dollars now.",
        ),
        ("It costs 5,00 EUR, 3,5 % more.", "It costs five euros, three point five percent more."),
        (
            "So 2 * -3 = -6, 2 * (3 + 4) = 14.",
            "So two times minus three equals minus six, two times (three plus four) equals fourteen.",
        ),
        (
            "So 5 != 6, 2**8, 5 - y, 10 / 2 = 5.",
            "So five is not equal to six, two to the power of eight, five minus y, ten divided by two equals five.",
        ),
        ("Add -½ cup at 20°-25°.", "Add minus one half cup at twenty degrees to twenty five degrees."),
        ("It is a £3.5m-£4m house.", "It is a three point five million pounds to four million pounds house."),
        (
            "So $100 - 20% = $80, n-1, b² - 4.",
            "So one hundred dollars minus twenty percent equals eighty dollars, n minus one, b squared minus four.",
        ),
        (
            "From $5.99/mo to $3-4k/yr.",
            "From five dollars and ninety nine cents per month to three to four thousand dollars per year.",
        ),
        ("He is 6’2” tall.", "He is six feet two inches tall."),
        (
            "About 10 000 of 1 000 000 and 1.000.000 and 1'000'000.",
            "About ten thousand of one million and one million and one million.",
        ),
        (
            "It is 1.5e-10 or 3E+5.",
            "It is one point five times ten to the power of minus ten or three times ten to the power of five.",
        ),
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
        ("On 31.12.2024 at 9am-5pm", "On December 31st, twenty twenty four at nine AM to five PM"),
        ("On 2024/05/06 and 25-12-2024", "On May sixth, twenty twenty four and December 25th, twenty twenty four"),
        ("Open Mon-Fri, Jan–Mar.", "Open Monday to Friday, January to March."),
        ("On Nov. 3, 2026 and 3 Dec. too", "On November third, 2026 and 3 December too"),
        ("From June 3-5 we are here 24/7.", "From June third to fifth we are here twenty four seven."),
        ("Pay a $5 bill and two $10 notes.", "Pay a five dollar bill and two ten dollar notes."),
        ("A $20 million deal, $5-a-day", "A twenty million dollar deal, five dollar a-day"),
        ("It costs 5.00 USD.", "It costs five US dollars."),
        ("See No. 5, fig. 3, p. 7 and vol. II.", "See number five, figure three, page seven and volume two."),
        ("It was approx. 5 sq. ft.", "It was approximately five square feet"),
        ("Built c. 1900 on Elm St, closed.", "Built circa 1900 on Elm Street, closed."),
        ("GPT-4.1 and the 70B model", "GPT four point one and the seventy billion model"),
        ("Agent 007 has 10⁶, 5‰.", "Agent zero zero seven has ten to the power of six, five per mille."),
        ("CO₂ in the XVIII century", "C O two in the eighteenth century"),
        ("From 5-10% at 230V", "From five to ten percent at two hundred thirty volts"),
        ("See example.com and notes.txt.", "See example dot com and notes dot txt."),
        ("Open 8 a.m.-5 p.m. or 9-10am.", "Open eight AM to five PM or nine to ten AM."),
        ("He is 6 ft. 2 in. tall on 3/16 inch.", "He is six feet two inches tall on three sixteenths inch."),
        ("At 10², 10⁻³ and fact¹", "At ten squared, ten to the power of minus three and fact one"),
        ("In WWII, F# and Title IX", "In World War Two, F sharp and Title nine"),
        ("Use version 5.0 now.", "Use version five point zero now."),
    ],
)
def test_the_embedded_voice_says_it(read: Read, text: str, spoken: str) -> None:
    assert read(spoken_form(text, "en-US")) == read(spoken)


SPOKEN_UNITS = {"V": "volts", "sq. ft.": "square feet", "tbsp": "tablespoons", "m²": "square meters", "GB": "gigabytes",
                "km/h": "kilometers per hour", "°C": "degrees Celsius", "%": "percent", "‰": "per mille"}  # fmt: skip
REFERENCES = {"No.": "number", "Fig.": "figure", "vol.": "volume", "pp.": "pages", "Ch.": "chapter"}
DAYS = {"Mon": "Monday", "Wed": "Wednesday", "Fri": "Friday", "Sun": "Sunday"}
MONTHS = {"Jan.": "January", "Feb": "February", "Aug": "August", "Sept.": "September", "Dec.": "December"}
DOMAINS = {"com": "com", "org": "org", "net": "net"}


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return something of any kind, and the words that must be heard, in order."""
    few, many, year = draw(st.integers(2, 28)), draw(st.integers(101, 999)), draw(st.integers(1950, 2039))

    def pick(table: dict[str, str]) -> tuple[str, str]:
        return draw(st.sampled_from(sorted(table.items())))

    unit, reference, day, other, month = pick(SPOKEN_UNITS), pick(REFERENCES), pick(DAYS), pick(DAYS), pick(MONTHS)
    domain, noun = pick(DOMAINS), draw(st.sampled_from(["bill", "ticket", "deal"]))
    chosen: tuple[str, list[str]] = draw(
        st.sampled_from(
            [
                (f"{many} {unit[0]}", [str(many), unit[1]]),
                (f"{reference[0]} {many}", [reference[1], str(many)]),
                (f"{day[0]}-{other[0]}", [day[1], "to", other[1]]),
                (f"{month[0]} {few}, {year}", [month[1], ordinal(str(few)), str(year)]),
                (f"{few:02}.12.{year}", ["December", ordinal(str(few)), str(year)]),
                (f"{few}-{many}%", [str(few), "to", str(many), "percent"]),
                (f"a ${many} {noun}", [str(many), "dollar", noun]),
                (f"GPT-{few}.{many}", [str(few), "point", str(many)]),
                (f"{few}am–5pm", [str(few), "to", "5", "PM"]),
                (f"{many}M users", [str(many), "million", "users"]),
                (f"00{few}", ["zero", "zero", *str(few)]),
                (f"{many}.00 USD", [str(many), "US dollars"]),
                (f"kitchen.{domain[0]}", ["kitchen", "dot", domain[1]]),
            ]
        )
    )
    return chosen


@given(
    kinds=st.lists(written(), min_size=1, max_size=3), frame=st.sampled_from(["We have {}.", "{}", "({}), they say."])
)
@settings(max_examples=200, deadline=None)
def test_every_number_and_word_of_each_kind_is_heard_in_order(
    read: Read, kinds: list[tuple[str, list[str]]], frame: str
) -> None:
    text = frame.format(", then ".join(text for text, _ in kinds))
    heard = rest = _letters(read(spoken_form(text, "en-US")))
    for word in [word for _, words in kinds for word in words]:
        _, found, rest = rest.partition("t" if word == "to" else _letters(read(word)))  # its vowel depends on the next
        assert found, f"{text}: {word!r} is not heard in {heard!r}"


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
