"""Kubernetes label selectors."""

import re
from collections.abc import Callable, Mapping

_TERM = re.compile(
    r"\s*(?P<key>[^\s=!,()]+)\s*(?:(?P<op>==|=|!=|\s+in\s*|\s+notin\s*)\s*(?P<value>\([^)]*\)|[^\s,()]*))?\s*(?:,|$)"
)


class InvalidSelector(ValueError):
    """The text is not a label selector; the message quotes the malformed part."""


def selector(text: str) -> Callable[[Mapping[str, str]], bool]:
    """Compile a Kubernetes label selector (`a=b,c!=d,e in (f,g),h,!i`); raises InvalidSelector."""
    terms: list[tuple[str, str, frozenset[str]]] = []
    position = 0
    text = text.strip()
    while position < len(text):
        absent = text[position] == "!"
        match = _TERM.match(text, position + absent)
        if match is None or (absent and match["op"]):
            raise InvalidSelector(f"labelSelector {text!r} is malformed at {text[position:]!r}")
        operator = "!" if absent else (match["op"] or "").strip()
        values = frozenset(part.strip() for part in (match["value"] or "").strip("()").split(","))
        terms.append((match["key"], operator, values))
        position = match.end()
    return lambda labels: all(_holds(labels, *term) for term in terms)


def _holds(labels: Mapping[str, str], key: str, operator: str, values: frozenset[str]) -> bool:
    if operator == "!":
        return key not in labels
    if operator == "":
        return key in labels
    if operator in ("!=", "notin"):
        return labels.get(key) not in values
    return labels.get(key) in values
