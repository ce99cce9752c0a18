"""Quantities with a unit."""
# ruff: noqa: RUF001 - the signs are intended

import re

from ttsworker.text.english.rule import AMOUNT, START, Rule, row, words

_UNITS = {
    "mm": "millimeters", "cm": "centimeters", "m": "meters", "km": "kilometers", "in": "inches", "ft": "feet",
    "yd": "yards", "mi": "miles", "mg": "milligrams", "g": "grams", "kg": "kilograms", "t": "tons", "ml": "milliliters",
    "l": "liters", "L": "liters", "J": "joules", "kJ": "kilojoules", "kWh": "kilowatt hours", "kcal": "kilocalories",
    "B": "bytes", "kB": "kilobytes", "KB": "kilobytes", "MB": "megabytes", "GB": "gigabytes", "TB": "terabytes",
    "PB": "petabytes", "KiB": "kibibytes", "MiB": "mebibytes", "GiB": "gibibytes", "TiB": "tebibytes",
    "V": "volts", "kV": "kilovolts", "W": "watts", "mA": "milliamps", "mV": "millivolts", "dB": "decibels", "Ω": "ohms",
    "kΩ": "kiloohms", "tbsp": "tablespoons", "tsp": "teaspoons", "fl oz": "fluid ounces", "fl. oz.": "fluid ounces",
    "sq ft": "square feet", "sq. ft.": "square feet", "cu ft": "cubic feet", "cu. ft.": "cubic feet",
    "sq mi": "square miles", "mL": "milliliters", "gal": "gallons", "qt": "quarts", "hPa": "hectopascals",
    "mbar": "millibars", "yr": "years", "yrs": "years", "wk": "weeks", "wks": "weeks", "mos": "months",
    "kbit": "kilobits", "Mbit": "megabits", "Gbit": "gigabits", "kb": "kilobits", "Mb": "megabits", "Gb": "gigabits",
}  # fmt: skip
_DATA = "PB|TB|GB|MB|KB|kB|[KMGT]iB|[kMG]bit"
_ALONE = (
    r"kV|mA|mV|dB|kΩ|Ω|tbsp|tsp|fl\. oz\.|fl oz|sq\. ft\.|sq ft|cu\. ft\.|cu ft|sq mi|mL|gal|qt|hPa|mbar|yrs?|wks?|mos"
    r"|[VW](?!-| ?\d| [A-Z])"
)
_PARTS = {"16": "sixteenth", "32": "thirty-second", "64": "sixty-fourth"}
_SHORT = {"ft": "ft", "in": "inches", "hr": "hours", "hrs": "hours", "min": "minutes", "mins": "minutes",
          "sec": "seconds", "secs": "seconds", "lb": "pounds", "lbs": "pounds", "oz": "ounces"}  # fmt: skip
_PER = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day", "wk": "week",
        "mo": "month", "yr": "year", "m": "meter", "m²": "square meter", "m³": "cubic meter", "km": "kilometer",
        "kg": "kilogram", "g": "gram", "l": "liter", "L": "liter", "ml": "milliliter", "GB": "gigabyte"}  # fmt: skip


def _unit(name: str, *, number: str) -> str:
    plural = _UNITS[name]
    if number != "1":
        return plural
    if plural.endswith("feet"):
        return plural.removesuffix("feet") + "foot"
    return "inch" if plural == "inches" else plural.removesuffix("s")


def _power(match: re.Match[str]) -> str:
    kind = "square" if match["power"] == "²" else "cubic"
    return f"{match['number']} {kind} {_unit(match['unit'], number=match['number'])}"


def _rate(match: re.Match[str]) -> str:
    return f"{match['number']} {_unit(match['unit'], number=match['number'])} per {_PER[match['per']]}"


RULES: tuple[Rule, ...] = (
    row(r"(?<![\w.°])(?<!° )(\d{1,2})['′] ?(\d{1,2})[\"″](?!\w)", r"\1 feet \2 inches",
         "He is 5'10\" tall.", "He is 5 feet 10 inches tall."),
    row(r"(?<![\w.°])(?<!° )(\d)['′’](\d{1,2})(?:[”″]|(?![\w'’]))", r"\1 feet \2 inches",
         "He is 6'2 tall.", "He is 6 feet 2 inches tall."),
    row(r"(?<=°)( ?\d{1,2})['′’](?!\d) ?", r"\1 minutes ", "45°30' north", "45°30 minutes north"),
    row(r"(?<=\d)( ?(?:ft|feet|foot) \d{1,2} ?)in\b", r"\1inches", "5 ft 10 in tall", "5 ft 10 inches tall"),
    row(rf"(?P<number>{START}{AMOUNT}) ?(?P<unit>[kcm]?m|in|ft|yd|mi)(?P<power>[²³])", _power,
         "30 m²", "30 square meters"),
    row(rf"(?P<number>{START}{AMOUNT}) ?(?P<unit>{words(_UNITS)})"
         rf"/(?P<per>{words(_PER)})(?![\w/])", _rate,
         "5 MB/s", "5 megabytes per second"),
    row(rf"(?P<number>{START}{AMOUNT}) ?(?P<unit>{_DATA})\b(?!/)",
         lambda match: f"{match['number']} {_unit(match['unit'], number=match['number'])}", "16GB", "16 gigabytes"),
    row(rf"(?P<number>{START}{AMOUNT}) ?(?P<unit>{_ALONE})(?!\w|/)",
        lambda match: f"{match['number']} {_unit(match['unit'], number=match['number'])}",
        "2 tbsp at 12 V", "2 tablespoons at 12 volts"),
    row(rf"(?<=\d )(?P<unit>{words(_SHORT)})\.(?= [a-z\d])", lambda match: _SHORT[match["unit"]],
        "5 in. long", "5 inches long"),
    row(r"(?<=\d )m(?= (?:tall|long|wide|deep|high|away|apart|thick|above|below)\b)", "meters",
        "10 m tall", "10 meters tall"),
    row(r"(?<![\w/.,])(\d{1,2})/(16|32|64)(?= ?(?:in\b|inch|[\"″]|of an?\b|miles?\b))",
        lambda match: f"{match[1]} {_PARTS[match[2]]}{'s' * (match[1] != '1')}", "3/16 inch", "3 sixteenths inch"),
    row(r"(?<=\d) ?‰", " per mille", "5‰ of it", "5 per mille of it"),
    row(r"(?<=[\d%]) ?[-–] ?(?=\d{1,3}(?:\.\d{1,9})? ?%)", " to ", "5-10% of it", "5 to 10% of it"),
)  # fmt: skip
