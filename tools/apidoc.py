"""Renders docs/api.md, the reference of every field, from the CRD: `python -m tools.apidoc [FILE]`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tools.crd import Schema, custom_resource_definition
from ttscontract.engines import ENGINES
from ttsoperator.spec.engines import amounts

_INTRO: Final = """\
# TTSService, field by field

<!-- Generated from operator/ttsoperator/spec/ and the engine catalogue by `python -m tools.apidoc`; do not edit. -->

`tts-operator.io/v1alpha1`, kind `TTSService`, short name `tts`. `kubectl explain tts.spec --recursive` says the same on
the command line. [examples/](../examples) has the shortest service, one on GPUs, and one with every field;
[status-conditions.md](status-conditions.md) explains the status. The API server needs Kubernetes 1.30 or newer.

Durations are whole numbers of seconds, and sizes are Kubernetes quantities. Setting an optional group of fields
switches it on. A field that you leave out has the default of the table; the API server writes it into the object.

What you can rely on:

- The HorizontalPodAutoscaler scales the Deployment. `kubectl scale tts NAME` writes `spec.replicas`, which has
  effect while `spec.autoscaling` is absent; a HorizontalPodAutoscaler or ScaledObject of your own may do the same.
  Switching autoscaling on keeps the current workers, switching it off returns to `spec.replicas`.
- When `spec.model` changes, the Job downloads the new model beside the old one; the workers serve the old one until
  the new one is verified.
- With a volume that one node at a time can use (ReadWriteOnce) all workers run on that node.
- A rollout of workers with GPUs stops a worker before it starts the next one, because no GPU may be free.
- The operator keeps what others add to the children (a sidecar, an annotation), and restores what it rendered.
"""
_ENGINES: Final = """\
## Engines

The rows of `contract/ttscontract/engines.py`. A worker has the requests, limits and GPUs of its engine where the spec
sets none. The licence is that of the engine's packages; a downloaded model has a licence of its own.

| engine | speaks | built-in model | a model folder holds | requests | limits | GPUs | precisions | licence |
|---|---|---|---|---|---|---|---|---|"""
_COLLAPSED: Final = {
    "spec.podTemplate.affinity": "As in Kubernetes: nodeAffinity, podAffinity, podAntiAffinity and all their fields."
}


def render() -> str:
    """Return the reference as Markdown."""
    [version] = custom_resource_definition()["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    parts = [_INTRO]
    for name in ("spec", "status"):
        parts += _section(name, properties[name])
    return "\n".join([*parts, *_engines()])


def _engines() -> Iterator[str]:
    """Yield the table of the engine catalogue."""
    yield _ENGINES
    for engine in ENGINES:
        cells = (
            f"`{engine.name}`",
            engine.summary,
            f"`{engine.builtin}`" if engine.builtin else "",
            engine.model_folder,
            amounts(engine.requests),
            amounts(engine.limits),
            str(engine.gpus),
            ", ".join(f"`{precision}`" for precision in engine.precisions),
            engine.licence,
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _section(path: str, schema: Schema) -> Iterator[str]:
    """Yield the table of an object's fields, then those of the objects within."""
    yield f"## {path}\n\n{schema['description']}\n"
    if path in _COLLAPSED:
        yield f"{_COLLAPSED[path]}\n"
        return
    yield "| field | type | default | meaning |\n|---|---|---|---|"
    required = set(schema.get("required", []))
    for name, field in schema["properties"].items():
        yield f"| `{name}` | {_type(field)} | {_default(field, required=name in required)} | {field['description']} |"
    yield ""
    if rules := schema.get("x-kubernetes-validations"):
        yield "The API server refuses an object that breaks one of these rules:\n"
        yield from dict.fromkeys(f"- {rule['message']}" for rule in rules)
        yield ""
    for name, field in schema["properties"].items():
        inner, suffix = (field["items"], "[]") if "items" in field else (field, "")
        if "properties" in inner:
            yield from _section(f"{path}.{name}{suffix}", inner)


def _type(field: Schema) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "items" in field:
        return f"list of {_type(field['items'])}, at most {field['maxItems']}"
    if "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}"
    return str(field["type"]) + _bounds(field)


def _bounds(field: Schema) -> str:
    if field["type"] != "integer" or "maximum" not in field:
        return ""
    return f", {field['minimum']} to {field['maximum']}"


def _default(field: Schema, *, required: bool) -> str:
    if required:
        return "**required**"
    default: Any = field.get("default")
    return "" if default in (None, {}) else f"`{json.dumps(default)}`" if _short(default) else "see meaning"


def _short(default: object) -> bool:
    return len(json.dumps(default)) < 40


def main(arguments: list[str]) -> None:
    """Write the reference into a file, `docs/api.md` when none is named."""
    target = Path(arguments[0] if arguments else "docs/api.md")
    target.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
