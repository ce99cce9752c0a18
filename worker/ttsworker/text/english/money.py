"""Amounts of money."""
# ruff: noqa: RUF001 - the signs are intended

import re

from ttsworker.text.english.rule import AMOUNT, CURRENCY, GROUPED, MAGNITUDE, SIGNED, START, Rule, row, words

_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"), "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"), "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"), "₩": ("won", "won", "jeon", "jeon"),
    "₽": ("ruble", "rubles", "kopek", "kopeks"), "₺": ("lira", "lira", "kurus", "kurus"),
    "₴": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"), "₫": ("dong", "dong", "xu", "xu"),
    "฿": ("baht", "baht", "satang", "satang"), "₱": ("peso", "pesos", "centavo", "centavos"),
    "₦": ("naira", "naira", "kobo", "kobo"), "₪": ("shekel", "shekels", "agora", "agorot"),
}  # fmt: skip
"""One and more of a currency, and of its hundredth part."""

_MAGNITUDES = {"k": "thousand", "m": "million", "b": "billion", "t": "trillion"}

_PER = {
    "hr": "hour", "h": "hour", "d": "day", "wk": "week", "mo": "month", "mth": "month", "yr": "year", "min": "minute",
    "sec": "second", "kg": "kilogram", "lb": "pound", "oz": "ounce", "sq ft": "square foot", "gal": "gallon",
}  # fmt: skip

_DOLLARS = {"US": "US", "A": "Australian", "AU": "Australian", "C": "Canadian", "CA": "Canadian", "NZ": "New Zealand",
            "HK": "Hong Kong", "S": "Singapore", "MX": "Mexican"}  # fmt: skip

_CODES = {
    "USD": "US dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "CHF": "Swiss francs", "INR": "rupees",
    "CNY": "yuan", "AUD": "Australian dollars", "NZD": "New Zealand dollars",
    "SEK": "Swedish kronor", "NOK": "Norwegian kroner", "DKK": "Danish kroner", "PLN": "zloty", "KRW": "won",
}  # fmt: skip

_SINGULAR = (
    "bill|note|coin|banknote|fee|fine|ticket|deal|tip|card|check|cheque|loan|grant|prize|bet|discount|budget|bonus|contract|"
    "fund|investment|lawsuit|settlement|project|plan|coupon|voucher|cap|limit|minimum|maximum|mark|threshold|range"
)
"""What an amount describes: "a $5 bill", "two $5 bills"."""

_WRITTEN = (
    rf"(?P<currency>{CURRENCY})(?P<whole>{GROUPED}|\d++)(?:\.(?P<fraction>\d++))?(?:[ -](?P<magnitude>{MAGNITUDE}))?"
)


def _money(match: re.Match[str]) -> str:
    one, more, hundredth, hundredths = _MONEY[match["currency"]]
    return _amount(match, (one, more), (hundredth, hundredths))


def _describing(match: re.Match[str]) -> str:
    """Return "5 dollar " of "a $5 bill"."""
    one, _, hundredth, _ = _MONEY[match["currency"]]
    return _amount(match, (one, one), (hundredth, hundredth)) + " "


def _amount(match: re.Match[str], units: tuple[str, str], parts: tuple[str, str]) -> str:
    """Return an amount; the names are of one unit and of more, or with a magnitude, and of one and more parts."""
    whole, fraction, magnitude = match["whole"], match["fraction"] or "", match["magnitude"] or ""
    if magnitude or len(fraction) > 2:
        return f"{whole}{'.' * bool(fraction)}{fraction}{' ' * bool(magnitude)}{magnitude} {units[1]}"
    hundredths = int(f"{fraction:0<2}")
    said = [f"{whole} {units[whole != '1']}"] if whole != "0" or not hundredths else []
    said += [f"{hundredths} {parts[hundredths != 1]}"] if hundredths else []
    return " and ".join(said)


def _named(prefix: str) -> str:
    return "reais" if prefix == "R" else f"{_DOLLARS[prefix]} dollars"


def _code(amount: str, magnitude: str | None, code: str) -> str:
    return f"{amount.removesuffix('.00')}{magnitude or ''} {_CODES[code]}"


def _commas(match: re.Match[str]) -> str:
    """Keep the groups of thousands (also of lakhs) together; read every other row of numbers as a list."""
    number = match[0]
    grouped = re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}", number)
    return number if grouped else number.replace(",", ", ")


def _joined(match: re.Match[str]) -> str:
    """Return a number without what separates its thousands."""
    return re.sub(r"\D", "", match[0])


SEPARATORS: tuple[Rule, ...] = (
    row(r"(?<![\w$])\$(?=[A-Za-z\\(])([^$\n]{1,200})(?<!\s)\$(?![\w$])", r"\1", "if $x = 5$ holds", "if x = 5 holds"),
    row(r"(?<![\d.,])\d{1,3}(?:\.\d{3})++,\d{1,2}(?![\d,])",
         lambda match: match[0].translate(str.maketrans(".,", ",.")), "1.234,50 m", "1,234.50 m"),
    row(rf"({CURRENCY} ?\d++),(\d\d?)(?![\d,])", r"\1.\2", "€5,50 each", "5 euros and 50 cents each"),
    row(rf"(?<![\d.,])(\d++),(\d\d?)(?= ?(?:{CURRENCY}(?!\d)|%|(?:{'|'.join(_CODES)})\b))", r"\1.\2",
         "5,50 € each", "5 euros and 50 cents each"),
    row(r"(?<![\w.,/:+-])(?<!\d )[1-9]\d{0,2}(?:(?: 0\d\d)|(?: \d{3}){2,8}+)(?![\w/:-]|[.,]\d{3}| ?\d)", _joined,
         "10 000 people", "10000 people"),
    row(r"(?<![\w.,])[1-9]\d{0,2}(?:['’]\d{3}){1,8}+(?![\w'’])", _joined, "1'000'000 people", "1000000 people"),
)  # fmt: skip
"""Thousands and decimals of other countries."""

RULES: tuple[Rule, ...] = (
    row(r"(?<![\w.,])\.(?=\d)", "0.", "a fall of .5 percent", "a fall of 0.5 percent"),
    row(rf"(?<![\w.,$€£¥])({AMOUNT}) ?({CURRENCY})(?![\d.])(?=\W|$)", r"\2\1",
         "It is 5 $ now.", "It is 5 dollars now."),
    row(rf"({CURRENCY}) (?=\d)", r"\1", "$ 5", "5 dollars"),
    row(rf"({CURRENCY}{AMOUNT}%?) ?[-–−] ?(?={CURRENCY}?{AMOUNT}%? ?=)", r"\1 minus ",
         "$100 - 20% = $80", "100 dollars minus 20% = 80 dollars"),
    row(rf"({CURRENCY}{AMOUNT}) ?[-–] ?({AMOUNT})([kKmMbBtT])n?\b",
         lambda match: f"{match[1]}-{match[2]} {_MAGNITUDES[match[3].lower()]}",
         "$3-4k a day", "3 to 4 thousand dollars a day"),
    row(rf"((?:{CURRENCY}|\b(?:{'|'.join(_CODES)}) ?)[-–−]?{AMOUNT})([kKmMbBtT])n?\b",
         lambda match: f"{match[1]} {_MAGNITUDES[match[2].lower()]}",
         "It cost €1.2bn.", "It cost 1.2 billion euros."),
    row(rf"{START}({AMOUNT})([kKmMbBtT])n?(?= ?(?:{'|'.join(_CODES)})\b)",
         lambda match: f"{match[1]} {_MAGNITUDES[match[2].lower()]}",
         "It cost 5M USD.", "It cost 5 million US dollars."),
    row(rf"(?<!\w)(US|AU?|CA?|NZ|HK|S|MX|R)\$ ?([-–−]?)({AMOUNT})( {MAGNITUDE})?",
         lambda match: f"{'minus ' * bool(match[2])}{match[3]}{match[4] or ''} {_named(match[1])}",
         "US$-5 million", "minus 5 million US dollars"),
    row(rf"\b({'|'.join(_CODES)}) ?{CURRENCY}?({AMOUNT})( {MAGNITUDE})?",
         lambda match: _code(match[2], match[3], match[1]), "USD 5 a day", "5 US dollars a day"),
    row(rf"{START}({AMOUNT})( {MAGNITUDE})? ?({'|'.join(_CODES)})\b",
         lambda match: _code(match[1], match[2], match[3]), "5.00 USD a day", "5 US dollars a day"),
    row(rf"({CURRENCY}{AMOUNT}(?: {MAGNITUDE})?) ?[-–] ?(?={CURRENCY}\d)", r"\1 to ",
         "$5-$10", "5 dollars to 10 dollars"),
    row(rf"({CURRENCY})({AMOUNT}) ?[-–] ?(?={AMOUNT}(?![\w-]))", r"\2 to \1",
         "$5–10 million", "5 to 10 million dollars"),
    row(rf"({CURRENCY}{AMOUNT}(?: {MAGNITUDE})?)/({words(_PER)})\b", lambda match: f"{match[1]} per {_PER[match[2]]}",
         "$5/mo", "5 dollars per month"),
    row(rf"({CURRENCY}{AMOUNT}(?: {MAGNITUDE})?)/(?=[A-Za-z])", r"\1 per ", "$5/month", "5 dollars per month"),
    row(rf"{SIGNED}[-–−](?={CURRENCY}\d)|(?<={CURRENCY})[-−](?=\d)", "minus ",
         "a loss of -$5", "a loss of minus 5 dollars"),
    row(rf"({CURRENCY})minus (?=\d)", r"minus \1", "$-5", "minus 5 dollars"),
    row(r"(?:(?<=\d[¢°'′])|(?<=°[CF])|(?<=[½⅓⅔¼¾⅛⅜⅝⅞])) ?[-–] ?(?=[\d½⅓⅔¼¾⅛⅜⅝⅞])", " to ",
         "20°-25° today", "20° to 25° today"),
    row(r"(?:(?<=\d(?:st|nd|rd|th))|(?<=\ds))–(?=\d)", " to ", "the 3rd–5th", "the 3rd to 5th"),
    row(rf"{SIGNED}[-–−](?=\.?\d|[½⅓⅔¼¾⅛⅜⅝⅞])", "minus ", "It is -5 today.", "It is minus 5 today."),
    row(rf"{SIGNED}\+(?={CURRENCY}?\.?\d)", "plus ", "a gain of +5", "a gain of plus 5"),
    row(rf"(?:(?<=\b[Aa] )|(?<=\b[Aa]n )){_WRITTEN}[ -](?=[A-Za-z])(?!(?:to|or|and|{MAGNITUDE})\b)", _describing,
        "a $20 million hole", "a 20 million dollar hole"),
    row(rf"{_WRITTEN}(?:-(?=[A-Za-z])| (?=(?:{_SINGULAR})s?\b))", _describing,
        "two $5 bills", "two 5 dollar bills"),
    row(_WRITTEN, _money, "It cost $1.5.", "It cost 1 dollar and 50 cents."),
)  # fmt: skip
