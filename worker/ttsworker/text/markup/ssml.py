"""Read the part of SSML that can be spoken with any engine: breaks, substitutes, paragraphs, languages and rates."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NoReturn
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

from ttsworker.text.markup.passages import InvalidMarkup, Passage

MAX_DEPTH = 16
"""Elements in one another."""
MAX_BREAK_SECONDS = 10.0
MAX_SILENCE_SECONDS = 60.0
"""Of one break, and of all breaks of a text together."""

_NAMESPACE = "{http://www.w3.org/2001/10/synthesis}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_ATTRIBUTES: dict[str, frozenset[str]] = {
    "speak": frozenset({"version", _LANGUAGE, _SCHEMA}),
    "p": frozenset({_LANGUAGE}),
    "s": frozenset({_LANGUAGE}),
    "lang": frozenset({_LANGUAGE}),
    "prosody": frozenset({"rate"}),
    "break": frozenset({"time", "strength"}),
    "sub": frozenset({"alias"}),
    "say-as": frozenset({"interpret-as", "format"}),
}
"""The elements, each with the attributes that it may have."""
_WITHOUT_ELEMENTS = {"break", "sub", "say-as"}

_STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.25, "medium": 0.5, "strong": 0.75, "x-strong": 1.0}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.5}
_SPELLED = {"characters", "spell-out", "verbatim"}
_DIGITS = {
    "digits": re.compile(r"\d+|[^\W\d_]+|[+*#]|^-|(?<=\d)\.(?=\d)"),
    "telephone": re.compile(r"\d+|[^\W\d_]+|[+*#]"),
}
"""Each with what is read of it; the rest, such as brackets, separates groups."""
_READ_BY_THE_ENGINE = {"cardinal", "number", "date", "time", "currency", "unit", "fraction"}
LAST_YEAR_OF_THIS_CENTURY = 49
"""Of years of two digits: 50 is 1950."""
_DATE_FORMATS = ("dmy", "mdy", "ymd")
_DATE = re.compile(r"(\d{1,4})[ ./-]{1,2}(\d{1,2})[ ./-]{1,2}(\d{1,4})", re.ASCII)
_TIME = re.compile(r"\+?(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})(ms|s)")
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4})?")


def read_ssml(text: str) -> list[Passage]:
    """Return the passages of an SSML document without halves of surrogate pairs.

    Raises InvalidMarkup that says what is not supported.
    """
    speech = _Speech()
    parser = XMLParser(target=speech, forbid_dtd=True)
    try:
        parser.feed(text.strip())
        parser.close()
    except ParseError as error:
        message = f"is not valid SSML, which is one <speak> element of XML: {error}"
        raise InvalidMarkup(message) from error
    except DefusedXmlException as error:
        message = "has a document type declaration, which SSML does not need: remove it"
        raise InvalidMarkup(message) from error
    return speech.passages


@dataclass(frozen=True)
class _Context:
    """An open element, and how its text is spoken."""

    element: str = ""
    speed: float = 1.0
    language: str | None = None
    value: str = ""
    """The alias of a sub; what a say-as is."""
    format: str = ""
    """The order of day, month and year in the date of a say-as."""


@dataclass
class _Speech:
    """Collects passages while the parser reads; its methods have the names that the parser calls."""

    passages: list[Passage] = field(default_factory=list)
    _open: list[_Context] = field(default_factory=lambda: [_Context()])
    _text: list[str] = field(default_factory=list)
    _said_as: list[str] = field(default_factory=list)
    _pause: float | None = None
    _silence: float = 0.0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        element, outer = tag.removeprefix(_NAMESPACE), self._open[-1]
        _check(element, attributes, outer.element)
        if len(self._open) > MAX_DEPTH:
            _refuse(f"has SSML elements more than {MAX_DEPTH} deep in one another")
        inner = replace(outer, element=element, language=attributes.get(_LANGUAGE) or outer.language, value="")
        if element == "prosody":
            inner = replace(inner, speed=outer.speed * _rate(attributes.get("rate", "medium")))
        elif element == "sub":
            inner = replace(inner, value=_required(attributes, "alias", element))
        elif element == "say-as":
            kind = _interpretation(_required(attributes, "interpret-as", element))
            inner = replace(inner, value=kind, format=_date_format(attributes) if kind == "date" else "")
        elif element == "lang":
            _required(attributes, _LANGUAGE, element)
        elif element == "break":
            self._end_passage()
            self._add_pause(_seconds(attributes))
        self._change(outer, inner)
        self._open.append(inner)

    def end(self, _: str) -> None:
        inner, outer = self._open.pop(), self._open[-1]
        if inner.element == "sub":
            self._text.append(inner.value)
        elif inner.element == "say-as":
            self._text.append(_said("".join(self._said_as), inner))
            self._said_as = []
        self._change(inner, outer)

    def data(self, text: str) -> None:
        words = re.sub(r"\s+", " ", text)
        if self._open[-1].element == "say-as":
            self._said_as.append(words)
        elif self._open[-1].element != "sub":
            self._text.append(words)

    def close(self) -> None:
        self._end_passage()
        if self._pause and not self.passages:  # a text of breaks only
            self.passages.append(Passage("", pause=self._pause))

    def _change(self, before: _Context, after: _Context) -> None:
        """Begin another passage where speed or language change, another sentence at the ends of <p> and <s>."""
        if (before.speed, before.language) != (after.speed, after.language):
            self._end_passage(before)
        elif {before.element, after.element} & {"p", "s"}:
            self._text.append("\n\n")

    def _end_passage(self, context: _Context | None = None) -> None:
        context = context or self._open[-1]
        text, self._text = "".join(self._text).strip(), []
        if text:
            self.passages.append(Passage(text, context.speed, context.language, self._pause))
            self._pause = None

    def _add_pause(self, seconds: float) -> None:
        self._silence += seconds
        if self._silence > MAX_SILENCE_SECONDS:
            _refuse(f"has breaks of more than {MAX_SILENCE_SECONDS:g} s together")
        self._pause = (self._pause or 0.0) + seconds


def _check(element: str, attributes: dict[str, str], outer: str) -> None:
    if (element == "speak") != (outer == ""):
        _refuse("is not SSML: a <speak> element has to be around all of it, and nowhere else")
    if element not in _ATTRIBUTES:
        known = ", ".join(f"<{name}>" for name in _ATTRIBUTES)
        _refuse(f"has the SSML element <{_shown(element)}>, which is not supported; supported are {known}")
    if outer in _WITHOUT_ELEMENTS:
        _refuse(f"has <{element}> within <{outer}>, which may only have text in it")
    if unknown := sorted(attributes.keys() - _ATTRIBUTES[element]):
        _refuse(f"has the attribute {_shown(unknown[0])} of <{element}>, which is not supported: remove it")


def _seconds(attributes: dict[str, str]) -> float:
    """Return the seconds of a break."""
    if "time" not in attributes:
        strength = attributes.get("strength", "medium")
        return _STRENGTHS[strength] if strength in _STRENGTHS else _unknown("strength", strength, _STRENGTHS)
    time = _TIME.fullmatch(attributes["time"].strip())
    if not time:
        _refuse(f"has a break of {_shown(attributes['time'])!r}: write its time like 500ms or 1.5s")
    seconds = float(time[1]) / (1000 if time[2] == "ms" else 1)
    if seconds > MAX_BREAK_SECONDS:
        _refuse(f"has a break of {seconds:g} s, but it may have at most {MAX_BREAK_SECONDS:g} s")
    return seconds


def _rate(rate: str) -> float:
    """Return by what a rate multiplies the speed: `fast`, `120%`, `+20%` and `1.2` are one after another."""
    rate = rate.strip()
    if rate in _RATES:
        return _RATES[rate]
    number = _NUMBER.fullmatch(rate.removesuffix("%").lstrip("+-"))
    if not number or (rate[0] in "+-" and not rate.endswith("%")):
        _unknown("rate", rate, _RATES)
    amount = float(number[0]) / (100 if rate.endswith("%") else 1)
    return 1 + amount if rate[0] == "+" else 1 - amount if rate[0] == "-" else amount


def _interpretation(value: str) -> str:
    known = _SPELLED | _DIGITS.keys() | _READ_BY_THE_ENGINE
    return value if value in known else _unknown("interpret-as", value, sorted(known))


def _date_format(attributes: dict[str, str]) -> str:
    """Return dmy for dmy and ddmmyyyy; "" where the text does not say."""
    written = attributes.get("format", "")
    order = re.sub(r"(.)\1+", r"\1", written.lower())
    return order if order in ("", *_DATE_FORMATS) else _unknown("format", written, _DATE_FORMATS)


def _said(text: str, say_as: _Context) -> str:
    """Return how a text is written that the engine is to read as a say-as asks for.

    Marks stay between commas; the step that writes signs in words names them.
    """
    if say_as.value in _SPELLED:
        return ", ".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in text.replace(" ", ""))
    if groups := _DIGITS.get(say_as.value):
        return ", ".join(" ".join(group) for group in groups.findall(text.strip()))
    date = _DATE.fullmatch(text.strip()) if say_as.format else None
    if not date:
        return text
    parts = dict(zip(say_as.format, date.groups(), strict=True))
    year = parts["y"]
    if len(year) <= 2:
        year = f"{'19' if int(year) > LAST_YEAR_OF_THIS_CENTURY else '20'}{year:0>2}"
    return f"{year:0>4}-{parts['m']:0>2}-{parts['d']:0>2}"


def _required(attributes: dict[str, str], name: str, element: str) -> str:
    value = attributes.get(name, "").strip()
    return value or _refuse(f"has <{element}> without its attribute {'xml:lang' if name == _LANGUAGE else name}")


def _unknown(attribute: str, value: str, known: Iterable[str]) -> NoReturn:
    _refuse(f"has {attribute}={_shown(value)!r}, which is not supported; supported are {', '.join(known)}")


def _shown(name: str) -> str:
    """Return what a message shows of a name, without the address of its namespace."""
    return name.rpartition("}")[2][:40]


def _refuse(message: str) -> NoReturn:
    raise InvalidMarkup(message)
