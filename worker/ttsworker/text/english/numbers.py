"""Signs, arithmetic, fractions and decimals."""
# ruff: noqa: RUF001 - the signs are intended

import re

from ttsworker.text.english.rule import CURRENCY, GROUPED, Rule, row, word_row

_COMPARISONS = {"<": "less than", ">": "greater than", "≤": "at most", "≥": "at least", "≈": "about", "~": "about"}

_OPERAND = r"(?:minus |plus )?[-−+]?[(√]?(?:\.?\d|(?:[b-hj-zB-HJ-Z]|pi)\b|π)"
"""A number, a letter that is no word, or a bracket before one."""

_FRACTIONS = {"⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _power(match: re.Match[str]) -> str:
    power = match["inverse"] or match["minus"] + match["power"]
    return f" to the power of {power.replace('⁻', 'minus ').translate(_POWERS)}"


RULES: tuple[Rule, ...] = (
    row(r"(?<=\d)(?: ?− ?| ?- ?(?=[\d.,]{1,20} ?=))(?=\d)", " minus ", "5-3=2", "5 minus 3=2"),
    row(r"(?<==)( ?)[-−](?=[A-Za-z]\b)|(?<=\()[-−](?=[b-zB-Z]\b)", lambda match: f"{match[1] or ''}minus ",
         "x = -y of (-b)", "x = minus y of (minus b)"),
    row(r"(?<=[\d²³)]) ?[-−] ?(?=\((?:minus )?\d)|(?<=[²³]) [-−] (?=\d)", " minus ",
         "5 - (-3)", "5 minus (minus 3)"),
    row(r"\b(?:([k-nx-z])[-−](?=\d{1,9}\b)|([b-hj-z]) [-−] (?=\d))", lambda match: f"{match[1] or match[2]} minus ",
         "n-1 of k - 2", "n minus 1 of k minus 2"),
    row(r"(?<=[A-Za-z)]) ?− ?(?=[A-Za-z\d(])", " minus ", "a − b1", "a minus b1"),
    row(r"(?<==)( ?)[-−] ?(?=\.?\d)", r"\1minus ", "x = - 5", "x = minus 5"),
    row(r"(?<=\d) [-−] ?(?=minus \d)", " minus ", "5 - -3", "5 minus minus 3"),
    row(r"(?<=\d) [-−] (?=[b-hj-zB-HJ-Z]\b)", " minus ", "5 - y", "5 minus y"),
    row(r"(?<=\d)--(?=\d)", " to ", "pages 5--10", "pages 5 to 10"),
    row(rf"(?:(?<=[\d)])|(?<=\b[A-Za-z])) ?\*\* ?(?={_OPERAND})", " to the power of ", "2**8", "2 to the power of 8"),
    row(rf"(?:(?<=[\d)])|(?<=\b[A-Za-z])) ?\* ?(?={_OPERAND})", " times ",
         "3*-4 * (x+1)", "3 times minus 4 times (x+1)"),
    row(r"(?<![\w.,*])([1-7])\*(?= [a-z])", r"\1 star", "a 5* hotel", "a 5 star hotel"),
    row(r"(?<=\d) ?/ ?(?=\d{1,20} ?=)", " divided by ", "10 / 2 = 5", "10 divided by 2 = 5"),
    row(r"(?<=\d) ?(?:!=|≠) ?(?=\S)|(?<=[A-Za-z)]) ?(?:!=|≠) ?(?=[-\w(])", " is not equal to ",
         "x != 5 ≠ 6", "x is not equal to 5 is not equal to 6"),
    row(r"(?<![\w.,])(\d++(?:\.\d++)?)(?:e|E(?=[-+−]))([-+−]?)(\d{1,3})(?!\w|\.\d)",
         lambda match: f"{match[1]} times 10 to the power of {'' if match[2] in '+' else 'minus '}{match[3]}",
         "1.5e-10", "1.5 times 10 to the power of minus 10"),
    row(r"(?<=\d)⁄(?=\d)", "/", "1⁄3", "1/3"),
    row(r"(?<=\d/\d)(?:rds|ths)\b", "", "2/3rds of it", "2/3 of it"),
    row(r"№ ?", "number ", "№ 5", "number 5"),
    word_row(r"\b(AB|[A-DFO])-(?=[.,;:!?)]|$| (?:grade|student|average|rating|blood|type|in|on|is|was|for)\b)",
         r"\1 minus", "a B- grade", "a B minus grade"),
    row(r"(?<=\d)(?<!\b0) ?x ?(?=\d)", " by ", "a 3x4 table", "a 3 by 4 table"),
    row(r"√ ?(?=[\w(])", "the square root of ", "√4", "the square root of 4"),
    row(rf"(?<![\w<>=)-])([<>≤≥≈~]) ?(?={CURRENCY}?\.?\d)", lambda match: f"{_COMPARISONS[match[1]]} ",
         "if it is ≥5", "if it is at least 5"),
    row(r"(?<![\d:.,])(\d{1,4}):(\d)(?![\d:.])", r"\1 to \2", "a ratio of 16:9", "a ratio of 16 to 9"),
    row(r"(?<![\w.,/])(\d{1,3}) (?=(?:1/2|[12]/3|[13]/4|[1-4]/5|[1357]/8)(?![\w/]))", r"\1 and ",
         "1 1/2 cups", "1 and 1/2 cups"),
    row(r"(?<=\d) ?(?=[½⅓⅔¼¾⅛⅜⅝⅞])", " and ", "1½ cups", "1 and ½ cups"),
    row(rf"(?<![\w.,$€£¥₹])({GROUPED}|\d++)\.(0++)(?!\d|\.\d|%| ?[ap]\.?m\b)",
         lambda match: f"{match[1]} point {' '.join(match[2])}",
         "Version 5.0 is out.", "Version 5 point 0 is out."),
    row(r"[⅓⅔⅛⅜⅝⅞]", lambda match: _FRACTIONS[match[0]], "⅔ of it", "2/3 of it"),
    row(r"(?<=[A-Za-z])(-?\d{1,9})\.(?=\d)", r"\1 point ", "with GPT-4.1", "with GPT-4 point 1"),
    row(r"(?<![\w.,:/-])(?<!\d )0\d{2,9}(?![\w:/-]|[.,]\d)", lambda match: " ".join(match[0]),
        "agent 007", "agent 0 0 7"),
    row(r"(?<![\w.,])(?!3M)(\d{1,3}(?:\.\d{1,3})?)([MB])(?= [a-z]{3})",
        lambda match: f"{match[1]} {'million' if match[2] == 'M' else 'billion'}",
        "70B parameters", "70 billion parameters"),
    row(r"(?<![\w.,])(\d{1,3}(?:\.\d{1,3})?) ?([mb])n\b",
        lambda match: f"{match[1]} {'million' if match[2] == 'm' else 'billion'}", "5bn people", "5 billion people"),
    row(r"(?<=\d)[²³](?![⁰¹²³⁴-⁹])", lambda match: " squared" if match[0] == "²" else " cubed",
        "It is 10².", "It is 10 squared."),
    row(r"(?<=\d)(?P<minus>⁻?)(?P<power>[⁰¹²³⁴-⁹]{1,9})"
        r"|(?<=[A-Za-z)])(?P<inverse>⁻[¹²³⁴-⁹]|[⁴-⁹])(?![⁰¹²³⁴-⁹])", _power,
        "10⁶ of m⁻¹", "10 to the power of 6 of m to the power of minus 1"),
    row(r"[⁰¹⁴-⁹]{1,9}", lambda match: f" {match[0].translate(_POWERS)}", "a fact¹⁰", "a fact 10"),
    row(r"∞", "infinity", "1 to ∞", "1 to infinity"),
)  # fmt: skip
