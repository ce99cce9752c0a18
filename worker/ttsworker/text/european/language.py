"""What the rules need to know of a language."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """Words and formats. A pair of words is for one and for more."""

    minus: str
    comma: str
    """Between a number and its decimals."""
    dot: str
    """Between the numbers of a version, and before decimals that follow a full stop."""
    to: str
    """Between the ends of a range."""
    hundredths: str
    """Between an amount and its hundredths: 5 euros *con* 50; may be empty."""
    cents: str
    """Hundredths of a euro, dollar or real, where they stand alone."""
    clock: str
    """A time, with `{hour}` and `{minute}`."""
    full_hour: str
    """A time without minutes."""
    date: str
    """A date, with `{day}`, `{month}` and `{year}`."""
    months: str
    """All twelve, separated by spaces."""
    units: Mapping[str, tuple[str, str]]
    """Also currencies, by their signs."""
    shortened: Mapping[str, str]
    """Abbreviations, wherever they stand."""
    before_number: Mapping[str, str]
    """Abbreviations before a number."""
    first_day: str = "1"
    """The first day of a month."""
    separate_decimals: bool = False
    """Whether decimals are read digit by digit."""
