"""A small reader of structural schemas: walks their leaves, fills in defaults and checks values."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Path = tuple[str, ...]


def leaves(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Every field that has no fields of its own; `[]` stands for a list's items, `{}` for a map's values."""
    if properties := schema.get("properties"):
        for name, child in properties.items():
            yield from leaves(child, (*path, name))
    elif "items" in schema:
        yield from leaves(schema["items"], (*path, "[]"))
    elif "additionalProperties" in schema:
        yield from leaves(schema["additionalProperties"], (*path, "{}"))
    else:
        yield path, schema


def nodes(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Every schema, the outermost first."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, (*path, name))
    for key, step in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from nodes(schema[key], (*path, step))


def defaulted(value: Any, schema: Schema) -> Any:
    """The value as the API server stores it."""
    if isinstance(value, Mapping):
        found = dict(value)
        for name, child in schema.get("properties", {}).items():
            if name not in found and "default" in child:
                found[name] = copy.deepcopy(child["default"])
            if name in found:
                found[name] = defaulted(found[name], child)
        return found
    if isinstance(value, list):
        return [defaulted(item, schema["items"]) for item in value]
    return value


def problems(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """What the API server would say against the value, CEL left out."""
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str) or not re.search(schema["pattern"], str(value)):
            yield f"{path}: {value!r} is no quantity"
        return
    kinds: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]) or (schema["type"] == "integer" and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    yield from _bounds(value, schema, path)
    if isinstance(value, dict):
        yield from _fields(value, schema, path)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from problems(item, schema["items"], f"{path}[{number}]")


def _fields(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, child in value.items():
        inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if inner is None:
            yield f"{path}.{name} is unknown"
        else:
            yield from problems(child, inner, f"{path}.{name}")


def _bounds(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is out of bounds"
    if isinstance(value, str | list | dict):
        size = next((schema[key] for key in ("maxLength", "maxItems", "maxProperties") if key in schema), len(value))
        if len(value) > size:
            yield f"{path}: longer than {size}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
