"""Tags of HTML and SSML in a text: refused, or removed together with what is never spoken. Linear in the text."""

import re
from bisect import bisect
from collections.abc import Iterator

from ttsworker.text.markup.passages import InvalidMarkup

_ELEMENTS = (
    # of HTML, except those of one letter: formulas have such letters between < and > as well
    "abbr address article aside audio blockquote body br button canvas center cite code del details div dl dt dd em "
    "embed fieldset figure font footer form frame frameset h[1-6] head header hr html iframe img input ins kbd label "
    "li link main mark math meta nav object ol option pre script section select small span strike strong style sub "
    "summary sup svg table tbody td template textarea th thead title tr tt ul var video "
    # of SSML
    "speak break emphasis phoneme prosody say-as voice lexicon"
).replace(" ", "|")
_NAME = r"[A-Za-z][\w:.-]*"
TAG = re.compile(
    rf"<(?:!--|!\[CDATA\[|!DOCTYPE\b|\?{_NAME}"  # comments, declarations, instructions
    rf"|/{_NAME}\s*>"  # the end of any element
    rf"|{_NAME}\s*/>"  # any empty element
    rf"|{_NAME}\s+{_NAME}\s*=[^<>]*>"  # any element with an attribute
    r"|script\b"  # however it goes on
    rf"|(?:{_ELEMENTS})(?:\s[^<>]*)?>"  # a known element
    r"|[abipqsu]>)",
    re.IGNORECASE,
)

_BREAK = re.compile(
    r"</?(?:address|article|aside|blockquote|br|caption|dd|details|div|dl|dt|figcaption|figure|footer|form|h[1-6]|header"
    r"|hr|li|main|nav|ol|option|p|pre|section|summary|table|tr|ul)(?![\w:.-])",
    re.IGNORECASE,
)
"""Tags at which a sentence ends."""

_CELL = re.compile(r"</t[dh]\s*>", re.IGNORECASE)

_REASONING = ("think", "thinking", "thought", "thoughts", "reasoning")
"""Elements in which language models think before they answer."""

_SILENT = re.compile(
    rf"<!--|-->|(?<!`)<(?P<end>/?)(?P<name>head|iframe|script|style|svg|template|{'|'.join(_REASONING)})(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
"""Where what is never spoken begins and ends; after a backtick it is code that a text tells about."""


def refuse_tags(text: str) -> None:
    """Raise InvalidMarkup for the first tag."""
    if tag := next(_tags(text), None):
        refuse_tag(tag[0], tag.start())


def refuse_tag(tag: str, position: int) -> None:
    """Raise InvalidMarkup for a tag, which is shown without its attributes."""
    shown = re.split(r"\s", tag, maxsplit=1)[0][:20]
    hint = ', or set markup to "ssml"' if shown.lower().startswith("<speak") else ""
    message = f"has markup ({shown}) at position {position}: send plain text without tags{hint}"
    raise InvalidMarkup(message)


def strip_tags(text: str) -> str:
    """Return the text without tags; raises InvalidMarkup for one that does not end, such as <script."""
    pieces, end = [], 0
    for tag in _tags(text):
        if tag.start() >= end:
            pieces += [text[end : tag.start()], in_place_of(tag[0])]
            end = tag.end()
    stripped = "".join([*pieces, text[end:]])
    refuse_tags(stripped)  # what did not end, or what removing a tag has put together
    return stripped


def in_place_of(tag: str) -> str:
    """Return what is heard where a tag was: a sentence end, a space or nothing. What has no end stays as it is."""
    silent = _SILENT.match(tag)
    if not tag.endswith(">") or (silent and not _is_end(silent) and _name(silent) not in _REASONING):
        return tag
    if _CELL.match(tag):
        return " "
    return "\n\n" if _BREAK.match(tag) else ""


def without_silent_elements(text: str) -> str:
    """Remove comments, scripts, styles and a language model's reasoning, each with all that it contains.

    Reasoning may lack its start, which chat templates put into the prompt, or its end, where it was cut off.
    """
    tags = list(_SILENT.finditer(text))
    ends: dict[str, list[int]] = {}
    for tag in tags:
        if _is_end(tag):
            ends.setdefault(_name(tag), []).append(tag.end())
    first = len(text) - len(text.lstrip())
    pieces: list[str] = []
    position = 0
    for tag in tags:
        name = _name(tag)
        if tag.start() < position:
            continue
        if _is_end(tag):
            if name in _REASONING:
                pieces, position = [], tag.end()
            continue
        following = ends.get(name, [])
        place = bisect(following, tag.end())
        if place < len(following):
            pieces += [text[position : tag.start()], " "]
            position = following[place]
        elif name in _REASONING and tag.start() == first:
            return ""
    return "".join([*pieces, text[position:]])


def _is_end(tag: re.Match[str]) -> bool:
    return tag[0] == "-->" or bool(tag["end"])


def _name(tag: re.Match[str]) -> str:
    return (tag["name"] or "!--").lower()


def _tags(text: str) -> Iterator[re.Match[str]]:
    # Match at each "<" instead of searching: in a text of nothing else one search would keep the GIL for 0.1 s.
    for bracket in re.finditer("<", text):
        if tag := TAG.match(text, bracket.start()):
            yield tag
