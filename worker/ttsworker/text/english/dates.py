"""Dates and times. Engines read 2026-11-27, 11/27/2026, November 3 and 10:30; other forms become one of these."""
# ruff: noqa: RUF001 - the signs are intended

import re

from ttsworker.text.english.rule import Rule, row, word_row, words

_MONTHS = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August",
    "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_NAMES = _MONTHS | _DAYS | {name: name for name in ("May", *_MONTHS.values(), *_DAYS.values())}

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_YEAR, _MONTH_NUMBER, _DAY = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:3[01]|[12]\d|0?[1-9])"
_NO_SECONDS, _SECONDS = r"(?::00(?!\.?[1-9]))?", r"(:\d\d)?(?:\.\d{1,9})?"
_CLOCK = r"\d{1,2}:\d\d(?: ?[apAP]\.?[mM]\b\.?)?"
_HOUR = r"\d{1,2} ?(?:[ap]m\b|[AP]M\b|[ap]\.m\.)"


def ordinal(number: str) -> str:
    """Return 1st for 1."""
    if number[-2:] in {"11", "12", "13"}:
        return f"{number}th"
    return number + {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")


def _name(match: re.Match[str]) -> str:
    return _NAMES[match["name"]]


def _range(match: re.Match[str]) -> str:
    return f"{_NAMES[match['first']]} to {_NAMES[match['last']]}"


def _days(match: re.Match[str]) -> str:
    """Return June 3rd to 5th; but "May 10-15 people come" has no month."""
    if match[1] == "May" and match[4]:
        return match[0]
    return f"{match[1]} {ordinal(match[2])} to {ordinal(match[3])}"


def _iso(year: str, month: str, day: str) -> str:
    return f"{year}-{month:0>2}-{day:0>2}"


def _hyphened(match: re.Match[str]) -> str:
    """Return 12/25/2024, whichever of day and month comes first; where both may be the month, the first is."""
    first, second = match["first"], match["second"]
    month, day = (second, first) if int(first) > 12 else (first, second)
    return f"{month}/{day}/{match['year']}" if int(month) <= 12 and 0 < int(day) <= 31 else match[0]


RULES: tuple[Rule, ...] = (
    word_row(rf"\b(?P<first>{words(_NAMES)})\.? ?[-–] ?(?P<last>{words(_NAMES)})\b", _range,
        "Open Mon-Fri, Jan–Mar.", "Open Monday to Friday, January to March."),
    row(rf"(?<![\w.-])({_YEAR}-{_MONTH_NUMBER}-{_DAY})[T ](\d\d:\d\d){_NO_SECONDS}{_SECONDS}(Z?)(?!\w)",
        lambda match: f"{match[1]}, {match[2]}{match[3] or ''}{' UTC' * bool(match[4])}",
        "At 2026-11-27T10:30:00Z it began.", "At 2026-11-27, 10:30 UTC it began."),
    row(rf"(?<![\w/.-])({_YEAR})/({_MONTH_NUMBER})/({_DAY})(?![\w/])", lambda match: _iso(match[1], match[2], match[3]),
        "On 2024/05/06 it began.", "On 2024-05-06 it began."),
    row(rf"(?<![\w/.-])({_DAY})\.({_MONTH_NUMBER})\.({_YEAR})(?![\w/])(?!\.\d)",
        lambda match: _iso(match[3], match[2], match[1]),
        "On 31.12.2024 it ended.", "On 2024-12-31 it ended."),
    row(rf"(?<![\w/.-])(?P<first>\d\d?)-(?P<second>\d\d?)-(?P<year>{_YEAR})(?![\w/-])", _hyphened,
        "On 25-12-2024 they rest.", "On 12/25/2024 they rest."),
    row(rf"\b(?P<name>{words(_MONTHS)})\b\.?(?= \d)", _name, "On Nov. 3, 2026", "On November 3, 2026"),
    row(rf"(?:(?<=\d )|(?<=\d(?:st|nd|rd|th) ))(?P<name>{words(_MONTHS)})\b(?:\.(?=,| [a-z\d]))?", _name,
        "On 3 Feb it began.", "On 3 February it began."),
    row(rf"\b(?P<name>{words(_DAYS)})\b\.?(?=,? (?:\d\d? )?(?:{_MONTH})\b)", _name,
        "On Fri, November 27", "On Friday, November 27"),
    row(rf"\b((?:{_MONTH}) \d\d?) ?[-–] ?(?=(?:{_MONTH})\b)", r"\1 to ",
        "Dec 31–Jan 2", "December 31 to January 2"),
    row(rf"\b({_MONTH}) (\d\d?) ?[-–] ?(\d\d?)\b(?![:.]\d)(?=( [a-z])?)", _days,
        "June 3-5, 2026", "June 3rd to 5th, 2026"),
    row(rf"(?<![\w.:,-])({_CLOCK}|{_HOUR}|\d{{1,2}}) ?[-–—] ?(?={_CLOCK}|{_HOUR})", r"\1 to ",
        "Open 9am–5pm, 10:00-11:30.", "Open 9am to 5pm, 10:00 to 11:30."),
    row(r"\b(UTC|GMT)[-−](?=\d)", r"\1 minus ", "at UTC-5", "at UTC minus 5"),
    row(r"(?<![\w/.:])24/7(?![\w/])", "24 7", "We are here 24/7.", "We are here 24 7."),
    row(r"(?<![\w/.:$])(\d0|\d5)/(\d0|\d5)(?![\w/])",
        lambda match: f"{match[1]} {match[2]}" if int(match[1]) + int(match[2]) == 100 else match[0],
        "a 50/50 chance", "a 50 50 chance"),
)  # fmt: skip
