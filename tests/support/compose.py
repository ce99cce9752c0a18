"""Reads the Compose files of examples/compose as Compose does: variables, anchors, one file over another."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "examples/compose"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


class Required(Exception):
    """A variable that the file asks for; the text is what the file says about it."""


def load(*names: str, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the project of these files, each over the one before."""
    project: dict[str, Any] = {}
    for name in names:
        project = _over(project, _interpolated(yaml.safe_load((FOLDER / name).read_text()), variables or {}))
    return {name: value for name, value in project.items() if not name.startswith("x-")}


def _interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {name: _interpolated(each, variables) for name, each in value.items()}
        case list():
            return [_interpolated(each, variables) for each in value]
        case str():
            return _replaced(value, variables)
        case _:
            return value


def _replaced(text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        if name is None:
            return "$"
        if given := variables.get(name):
            return given
        if operator == "?":
            raise Required(word)
        return word or ""

    return _VARIABLE.sub(value, text)


def _over(below: Any, above: Any) -> Any:
    """Merge two values: mappings by their names, everything else is replaced."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{name: _over(below.get(name), value) for name, value in above.items()}}
