"""Decode the character references of HTML, such as &amp; and &#39;."""

import html
import re
from html.entities import html5

_REFERENCE = re.compile(
    r"&(?:#(?P<decimal>[0-9]{1,7})|#[xX](?P<hex>[0-9A-Fa-f]{1,6})|(?P<name>[A-Za-z][A-Za-z0-9]{1,31}));"
)
_WINDOWS_1252 = range(0x80, 0xA0)


def decode_entities(text: str) -> str:
    """Return the text with each reference decoded once; unknown ones, and those without a semicolon, stay.

    A control character comes out as itself, so that whoever checks the result refuses it.
    """
    return _REFERENCE.sub(_decoded, text) if "&" in text else text


def _decoded(reference: re.Match[str]) -> str:
    if reference["name"]:
        return html5.get(reference["name"] + ";", reference[0])
    code = int(reference["decimal"]) if reference["decimal"] else int(reference["hex"], 16)
    if code in _WINDOWS_1252:  # as browsers do: &#146; is an apostrophe
        return html.unescape(reference[0])
    if code == ord("\r"):
        return "\n"
    return chr(code) if code <= 0x10FFFF else reference[0]
