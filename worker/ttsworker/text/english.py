"""Write English signs out in words where engines skip them or read something else. Pure, and linear in the text.

Engines read most numbers well, so a rule rewrites only what several of them get wrong: the sign before money, a unit's
square, the dots of an address.
"""
# ruff: noqa: RUF001 - the signs are intended

import re
from collections.abc import Callable
from dataclasses import dataclass

Spoken = str | Callable[[re.Match[str]], str]

_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"), "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"), "₺": ("lira", "lira", "kurus", "kurus"),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"), "₫": ("dong", "dong", "xu", "xu"),
    "฿": ("baht", "baht", "satang", "satang"),
}  # fmt: skip
"""One and more of a currency, and of its hundredth part."""

_CURRENCY = f"[{''.join(_MONEY)}]"
_GROUPED = r"\d{1,3}(?:,\d{3})++(?!\d)"
_AMOUNT = rf"(?:{_GROUPED}|\d++)(?:\.\d++)?"
_START = r"\b(?<!\d[.,])"
"""Where a number can begin: not within another one, whose rest would be searched again from each of its groups."""
_MAGNITUDE = "(?:thousand|million|billion|trillion)"
_SIGNED = r"(?<![\w.,)\]%–−-])(?<!\d )"
"""Nothing before it that a hyphen could join to what follows, not even a number and a space: a range."""

_MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}

_DOLLARS = {"US": "US", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "NZ": "New Zealand",
            "HK": "Hong Kong", "S": "Singapore"}  # fmt: skip

_CODES = {
    "USD": "US dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "CHF": "Swiss francs", "INR": "rupees",
    "CNY": "yuan", "AUD": "Australian dollars", "NZD": "New Zealand dollars",
    "SEK": "Swedish kronor", "NOK": "Norwegian kroner", "DKK": "Danish kroner", "PLN": "zloty", "KRW": "won",
}  # fmt: skip

_UNITS = {
    "mm": "millimeters", "cm": "centimeters", "m": "meters", "km": "kilometers", "in": "inches", "ft": "feet",
    "yd": "yards", "mi": "miles", "mg": "milligrams", "g": "grams", "kg": "kilograms", "t": "tons", "ml": "milliliters",
    "l": "liters", "L": "liters", "J": "joules", "kJ": "kilojoules", "kWh": "kilowatt hours", "kcal": "kilocalories",
    "B": "bytes", "kB": "kilobytes", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes",
    "PB": "petabytes", "KiB": "kibibytes", "MiB": "mebibytes", "GiB": "gibibytes", "TiB": "tebibytes",
    "kbit": "kilobits", "Mbit": "megabits", "Gbit": "gigabits", "kb": "kilobits", "Mb": "megabits", "Gb": "gigabits",
}  # fmt: skip
_DATA = "PB|TB|GB|MB|KB|kB|[KMGT]iB|[kMG]bit"
_PER = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "wk": "week",
        "mo": "month", "yr": "year", "m": "meter", "m²": "square meter", "m³": "cubic meter", "km": "kilometer",
        "kg": "kilogram", "g": "gram", "l": "liter", "L": "liter", "ml": "milliliter", "GB": "gigabyte"}  # fmt: skip

_COMPARISONS = {"<": "less than", ">": "greater than", "≤": "at most", "≥": "at least", "≈": "about", "~": "about"}

_ADDRESS_MARKS = {
    ".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", "?": "question mark",
    "=": "equals", "&": "and", "#": "hash", "%": "percent", "~": "tilde", ":": "colon",
}  # fmt: skip
_ADDRESS_MARK = re.compile(r"\s*([.@/_+?=&#%~:-])\s*")


@dataclass(frozen=True)
class Rule:
    """What to write for each match of a pattern; the example shows a text before and after all the rules."""

    pattern: re.Pattern[str]
    spoken: Spoken
    example: tuple[str, str]


def _row(pattern: str, spoken: Spoken, before: str, after: str) -> Rule:
    return Rule(re.compile(pattern), spoken, (before, after))


def _address(match: re.Match[str]) -> str:
    return _ADDRESS_MARK.sub(lambda mark: f" {_ADDRESS_MARKS[mark[1]]} ", match["address"]).strip()


def _money(match: re.Match[str]) -> str:
    one, more, hundredth, hundredths = _MONEY[match["currency"]]
    whole, fraction, magnitude = match["whole"], match["fraction"] or "", match["magnitude"] or ""
    if magnitude or len(fraction) > 2:
        return f"{whole}{'.' * bool(fraction)}{fraction}{magnitude} {more}"
    parts = int(f"{fraction:0<2}")
    words = [f"{whole} {one if whole == '1' else more}"] if whole != "0" or not parts else []
    words += [f"{parts} {hundredth if parts == 1 else hundredths}"] if parts else []
    return " and ".join(words)


def _digits(match: re.Match[str]) -> str:
    """Read a telephone number digit by digit, with a short pause between its groups."""
    return ", ".join(" ".join(group) for group in re.findall(r"\d+", match[0]))


def _commas(match: re.Match[str]) -> str:
    """Keep the groups of thousands (also of lakhs) together; read every other row of numbers as a list."""
    number = match[0]
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}", number)
    return number if grouped else number.replace(",", ", ")


def _unit(name: str, *, number: str) -> str:
    plural = _UNITS[name]
    if number != "1":
        return plural
    return {"feet": "foot", "inches": "inch"}.get(plural, plural.removesuffix("s"))


def _power(match: re.Match[str]) -> str:
    kind = "square" if match["power"] == "²" else "cubic"
    return f"{match['number']} {kind} {_unit(match['unit'], number=match['number'])}"


def _rate(match: re.Match[str]) -> str:
    return f"{match['number']} {_unit(match['unit'], number=match['number'])} per {_PER[match['per']]}"


RULES: tuple[Rule, ...] = (
    # addresses
    _row(r"(?P<address>\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}+)", _address,
         "Write to me.too@example.org.", "Write to me dot too at example dot org."),
    _row(r"\b(?:https?://|(?=www\.))(?P<address>[\w.@/+?=&#%~:-]{0,2000}[\w/])", _address,
         "See https://www.example.com/a-b.", "See www dot example dot com slash a dash b."),
    # telephone numbers, versions
    _row(r"(?<![\w.-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w.-]*\d)", _digits,
         "Call (555) 123-4567.", "Call 5 5 5, 1 2 3, 4 5 6 7."),
    _row(r"(?<![\w.,])v?\d{1,9}(?:\.\d{1,9}){2,8}+(?![\w.]*\d)", lambda match: match[0].replace(".", " point "),
         "Version 1.2.3 is out.", "Version 1 point 2 point 3 is out."),
    # thousands and decimals of other countries
    _row(r"(?<![\d.,])\d{1,3}(?:\.\d{3})++,\d{1,2}(?![\d,])",
         lambda match: match[0].translate(str.maketrans(".,", ",.")), "1.234,50 m", "1,234.50 m"),
    _row(rf"({_CURRENCY} ?\d++),(\d\d?)(?![\d,])", r"\1.\2", "€5,50 each", "5 euros and 50 cents each"),
    _row(rf"(?<![\d.,])(\d++),(\d\d?)(?= ?{_CURRENCY}(?!\d))", r"\1.\2",
         "5,50 € each", "5 euros and 50 cents each"),
    _row(r"(?<![\d.,])\d++(?:,\d++)++(?![\d,])", _commas, "Take 1,5,7 of 1,000.", "Take 1, 5, 7 of 1,000."),
    # money
    _row(rf"(?<![\w.,$€£¥])({_AMOUNT}) ?({_CURRENCY})(?![\d.])(?=\W|$)", r"\2\1",
         "It is 5 $ now.", "It is 5 dollars now."),
    _row(rf"({_CURRENCY}) (?=\d)", r"\1", "$ 5", "5 dollars"),
    _row(rf"(?<!\w)(US|AU?|CA?|NZ|HK|S)\$ ?({_AMOUNT})( {_MAGNITUDE})?",
         lambda match: f"{match[2]}{match[3] or ''} {_DOLLARS[match[1]]} dollars",
         "US$5 million", "5 million US dollars"),
    _row(rf"\b({'|'.join(_CODES)}) ?{_CURRENCY}?({_AMOUNT})( {_MAGNITUDE})?",
         lambda match: f"{match[2]}{match[3] or ''} {_CODES[match[1]]}", "USD 5 a day", "5 US dollars a day"),
    _row(rf"{_START}({_AMOUNT})( {_MAGNITUDE})? ?({'|'.join(_CODES)})\b",
         lambda match: f"{match[1]}{match[2] or ''} {_CODES[match[3]]}", "5 USD a day", "5 US dollars a day"),
    _row(rf"({_CURRENCY}{_AMOUNT})([kKmMbBtT])n?\b", lambda match: f"{match[1]} {_MAGNITUDES[match[2].lower()]}",
         "It cost €1.2bn.", "It cost 1.2 billion euros."),
    _row(rf"({_CURRENCY}{_AMOUNT}(?: {_MAGNITUDE})?) ?[-–] ?(?={_CURRENCY}\d)", r"\1 to ",
         "$5-$10", "5 dollars to 10 dollars"),
    _row(rf"({_CURRENCY})({_AMOUNT}) ?[-–] ?(?={_AMOUNT}(?![\w-]))", r"\2 to \1",
         "$5–10 million", "5 to 10 million dollars"),
    _row(rf"({_CURRENCY}{_AMOUNT}(?: {_MAGNITUDE})?)/(?=[A-Za-z])", r"\1 per ", "$5/month", "5 dollars per month"),
    # signs, which come before the money that the last rule writes in words
    _row(rf"{_SIGNED}[-–−](?={_CURRENCY}\d)|(?<={_CURRENCY})[-−](?=\d)", "minus ",
         "a loss of -$5", "a loss of minus 5 dollars"),
    _row(rf"({_CURRENCY})minus (?=\d)", r"minus \1", "$-5", "minus 5 dollars"),
    _row(rf"{_SIGNED}[-–−](?=\.?\d)", "minus ", "It is -5 today.", "It is minus 5 today."),
    _row(rf"{_SIGNED}\+(?={_CURRENCY}?\.?\d)", "plus ", "a gain of +5", "a gain of plus 5"),
    _row(r"(?<![\w.,])\.(?=\d)", "0.", "a fall of .5 percent", "a fall of 0.5 percent"),
    _row(rf"(?P<currency>{_CURRENCY})(?P<whole>{_GROUPED}|\d++)(?:\.(?P<fraction>\d++))?(?P<magnitude> {_MAGNITUDE})?",
         _money, "It cost $1.5.", "It cost 1 dollar and 50 cents."),
    # arithmetic
    _row(r"(?<=\d)(?: ?− ?| ?- ?(?=[\d.,]{1,20} ?=))(?=\d)", " minus ", "5-3=2", "5 minus 3=2"),
    _row(r"(?<==)( ?)[-−](?=[A-Za-z]\b)", r"\1minus ", "x = -y", "x = minus y"),
    _row(r"(?<=\d) ?\* ?(?=\d)", " times ", "3*4", "3 times 4"),
    _row(r"(?<=\d)(?<!\b0) ?x ?(?=\d)", " by ", "a 3x4 table", "a 3 by 4 table"),
    _row(r"√ ?(?=\w)", "the square root of ", "√4", "the square root of 4"),
    _row(rf"(?<![\w<>=)-])([<>≤≥≈~]) ?(?={_CURRENCY}?\.?\d)", lambda match: f"{_COMPARISONS[match[1]]} ",
         "if it is ≥5", "if it is at least 5"),
    _row(r"(?<![\d:.,])(\d{1,4}):(\d)(?![\d:.])", r"\1 to \2", "a ratio of 16:9", "a ratio of 16 to 9"),
    # fractions and decimals
    _row(r"(?<![\w.,/])(\d{1,3}) (?=(?:1/2|[12]/3|[13]/4|[1-4]/5|[1357]/8)(?![\w/]))", r"\1 and ",
         "1 1/2 cups", "1 and 1/2 cups"),
    _row(r"(?<=\d) ?(?=[½⅓⅔¼¾⅛⅜⅝⅞])", " and ", "1½ cups", "1 and ½ cups"),
    _row(rf"(?<![\w.,$€£¥₹])({_GROUPED}|\d++)\.(0++)(?!\d|\.\d|%| ?[ap]\.?m\b)",
         lambda match: f"{match[1]} point {' '.join(match[2])}",
         "Version 5.0 is out.", "Version 5 point 0 is out."),
    # units
    _row(r"(?<![\w.°])(?<!° )(\d{1,2})['′] ?(\d{1,2})[\"″](?!\w)", r"\1 feet \2 inches",
         "He is 5'10\" tall.", "He is 5 feet 10 inches tall."),
    _row(r"(?<=\d)( ?(?:ft|feet|foot) \d{1,2} ?)in\b", r"\1inches", "5 ft 10 in tall", "5 ft 10 inches tall"),
    _row(rf"(?P<number>{_START}{_AMOUNT}) ?(?P<unit>[kcm]?m|in|ft|yd|mi)(?P<power>[²³])", _power,
         "30 m²", "30 square meters"),
    _row(rf"(?P<number>{_START}{_AMOUNT}) ?(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
         rf"/(?P<per>{'|'.join(sorted(_PER, key=len, reverse=True))})(?![\w/])", _rate,
         "5 MB/s", "5 megabytes per second"),
    _row(rf"(?P<number>{_START}{_AMOUNT}) ?(?P<unit>{_DATA})\b(?!/)",
         lambda match: f"{match['number']} {_unit(match['unit'], number=match['number'])}", "16GB", "16 gigabytes"),
)  # fmt: skip
"""In this order: a later rule sees what an earlier one wrote."""


_ANY_SIGN = re.compile(r"[\d@√]|www\.|https?:|= ?[-−]")
"""Without one of these no rule has anything to do: most texts cost one search."""


def verbalise(text: str) -> str:
    """Return a normalised English text with its signs in words."""
    if not _ANY_SIGN.search(text):
        return text
    for rule in RULES:
        text = rule.pattern.sub(rule.spoken, text)
    return text
