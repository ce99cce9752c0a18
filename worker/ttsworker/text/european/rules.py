"""The rules, which a language fills with its words."""
# ruff: noqa: RUF001 - the signs are intended

import re
from collections.abc import Iterable

from ttsworker.text.european.language import Language

_CURRENCIES = ("R$", "€", "$", "£")
_START = r"(?<![\w.,:/-])"
_DATE = re.compile(
    r"(?<![\w./-])(?P<day>3[01]|[12]\d|0?[1-9])(?P<mark>[./])(?P<month>1[0-2]|0?[1-9])(?P=mark)(?P<year>(?:1\d|20)\d\d)(?![\w/])"
    r"|(?<![\w./-])(?P<iso_year>(?:19|20)\d\d)-(?P<iso_month>1[0-2]|0[1-9])-(?P<iso_day>3[01]|[12]\d|0[1-9])(?![\w/-])"
)
_TIME = re.compile(
    rf"{_START}(?P<hour>2[0-4]|1\d|0?\d)(?::|h|\.(?=\d\d Uhr\b))(?P<minute>[0-5]\d)(?![\w:]|[.,]\d)(?: Uhr\b)?"
)
_SPACED = re.compile(
    r"(?<![\w.,/:+'’-])(?<!\d )[1-9]\d{0,2}(?: 0\d\d|(?: \d{3}){2,8}+|(?:['’]\d{3}){1,8}+)(?![\w'’/:-]| ?\d)"
)
"""12 345 stays: it may be two numbers, and espeak-ng knows the languages in which it is one."""
_ENGLISH = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})++)\.(\d{1,9})(?![\w.,]*\d)")
"""1,200.50 has its comma and its point the other way round."""
_UNIT_RANGE = re.compile(r"(?:(?<=\d[%€$£°])|(?<=\d [%€$£°])) ?[-–] ?(?=\d)")
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:\.\d{3})++(?![\w.]*\d)")
_DOTS = re.compile(r"(?<![\w.,])\d{1,9}(?:\.\d{1,9}){1,8}+(?![\w.]*\d)")
_RANGE = re.compile(rf"{_START}([1-9]\d{{0,3}}) ?[-–] ?(?=([1-9]\d{{0,3}})(?![\w/:-]|[.,]\d))")
_DECIMALS = re.compile(r"(?<![\w.,])(\d++),(\d{1,9})(?!\d|,\d)")


class Verbaliser:
    """Writes the signs of one language in words."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._months = language.months.split()
        currency = f"(?:{_any(sign for sign in _CURRENCIES if sign in language.units)})"
        self._before = re.compile(rf"(?<![\w.,])({currency}) ?(\d++(?:,\d{{2}})?)(?![\w,.]*\d)")
        self._dotted = re.compile(rf"({currency} ?\d++)\.(\d\d)(?!\w|[.,]\d)|(?<![\w.,])(\d++)\.(\d\d)(?= ?{currency})")
        self._inner_minus = re.compile(rf"(?<!\d)(?<!\d )({currency}) ?[-−](?=\d)")
        self._minus = re.compile(rf"(?<![\w.,)\]%€$£°–−-])(?<!\d )(?:[-–]|− ?)(?={currency}?[\d½¼¾])")
        self._amount = re.compile(rf"(?<![\w.,])(?P<whole>\d++),(?P<hundredths>\d\d) ?(?P<sign>{currency})")
        self._shortened = re.compile(rf"(?<![\w.])(?:{_any(language.shortened)})(?!\w)")
        self._before_number = re.compile(rf"(?<![\w.])({_any(language.before_number)}) ?(?=\d)")
        self._unit = re.compile(
            rf"(?<![\w.,])(?P<number>\d++(?:[.,]\d{{1,9}})?) ?(?P<unit>{_any(language.units)})(?![\w²³/]|-)"
        )

    def __call__(self, text: str) -> str:
        """Return a normalised text with its signs in words."""
        language = self._language
        text = self._shortened.sub(lambda match: language.shortened[match[0]], text)
        text = self._before_number.sub(lambda match: f"{language.before_number[match[1]]} ", text)
        text = _DATE.sub(self._date, text)
        text = _TIME.sub(self._time, text)
        text = _SPACED.sub(lambda match: re.sub(r"\D", "", match[0]), text)
        text = _ENGLISH.sub(lambda match: f"{match[1].replace(',', '')},{match[2]}", text)
        text = self._dotted.sub(lambda match: f"{match[1] or match[3]},{match[2] or match[4]}", text)
        text = _GROUPED.sub(lambda match: match[0].replace(".", ""), text)
        text = self._inner_minus.sub(r"-\1", text)
        text = _UNIT_RANGE.sub(f" {language.to} ", text)
        text = self._before.sub(r"\2 \1", text)
        text = self._minus.sub(f"{language.minus} ", text)
        text = _RANGE.sub(self._range, text)
        text = self._amount.sub(self._money, text)
        text = self._unit.sub(self._quantity, text)
        text = _DECIMALS.sub(lambda match: self._decimal(match[1], language.comma, match[2]), text)
        return _DOTS.sub(self._dots, text)

    def _date(self, match: re.Match[str]) -> str:
        day, month, year = (match[name] or match[f"iso_{name}"] for name in ("day", "month", "year"))
        spoken = "1" if int(day) == 1 else str(int(day))
        first = self._language.first_day if spoken == "1" else spoken
        return self._language.date.format(day=first, month=self._months[int(month) - 1], year=year)

    def _time(self, match: re.Match[str]) -> str:
        hour, minute = str(int(match["hour"])), str(int(match["minute"]))
        form = self._language.clock if minute != "0" else self._language.full_hour
        return form.format(hour=hour, minute=minute)

    def _range(self, match: re.Match[str]) -> str:
        """Return 5 to 10; 3-1 is a score."""
        return f"{match[1]} {self._language.to} " if int(match[1]) < int(match[2]) else match[0]

    def _money(self, match: re.Match[str]) -> str:
        whole, hundredths = match["whole"], match["hundredths"]
        if whole == "0" and hundredths != "00" and match["sign"] != "£":
            return f"{int(hundredths)} {self._language.cents}"
        amount = f"{whole} {self._name(match['sign'], whole)}"
        if hundredths == "00":
            return amount
        return " ".join(filter(None, (amount, self._language.hundredths, str(int(hundredths)))))

    def _quantity(self, match: re.Match[str]) -> str:
        return f"{match['number']} {self._name(match['unit'], match['number'])}"

    def _name(self, unit: str, number: str) -> str:
        return self._language.units[unit][number != "1"]

    def _dots(self, match: re.Match[str]) -> str:
        first, *rest = match[0].split(".")
        if len(rest) == 1:
            return self._decimal(first, self._language.dot, rest[0])
        return f" {self._language.dot} ".join([first, *rest])

    def _decimal(self, whole: str, word: str, decimals: str) -> str:
        """Return 3 comma 14; leading zeros are read each."""
        zeros = len(decimals) - len(decimals.lstrip("0"))
        apart = len(decimals) if self._language.separate_decimals else zeros
        said = [*decimals[:apart], *filter(None, [decimals[apart:]])]
        return f"{whole} {word} {' '.join(said)}"


def _any(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
