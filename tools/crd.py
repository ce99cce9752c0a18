"""Renders the CustomResourceDefinition from the models in spec/: `python -m tools.crd [FOLDER]`."""

import sys
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel

from ttsoperator import names
from ttsoperator.spec import TTSServiceSpec
from ttsoperator.spec.base import rule
from ttsoperator.spec.status import TTSServiceStatus

FILE_NAME: Final = f"{names.GROUP}_{names.PLURAL}.yaml"
Schema = dict[str, Any]

_DROPPED: Final = {"title", "additionalProperties", "$defs"}
_NAME_RULES: Final = [
    rule(
        "self.metadata.name.size() <= 40",
        "metadata.name must have at most 40 characters: the names of its children are longer",
    ),
    rule(
        "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        "metadata.name must be a DNS name: a letter, then only lower-case letters, digits and hyphens",
    ),
]
_COLUMNS: Final[list[tuple[str, str, str, int, str]]] = [
    ("Engine", "string", ".status.engine", 0, "Engine that runs the model"),
    ("Model", "string", ".spec.model.source", 0, "Where the model comes from"),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0, "Whether the current spec is rolled out"),
    ("Replicas", "integer", ".status.replicas", 0, "Number of workers"),
    ("URL", "string", ".status.url", 0, "Address inside the cluster"),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since the service was created"),
    ("Voices", "integer", ".status.voiceCount", 1, "How many voices the model has"),
    ("RTF", "integer", ".status.benchmark.realTimeFactorMilli", 1, "Milliseconds of computing per second of speech"),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 1, "Why it is ready, or why not"),
]


def structural_schema(model: type[BaseModel]) -> Schema:
    """Return a model's JSON schema in the form the API server takes.

    That is: every `$ref` inlined, optional fields without `null`, no titles, nothing about additional properties but
    the values of a map.
    """
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}))


def _structural(node: Schema, definitions: dict[str, Schema]) -> Schema:
    node = _resolved(_without_null(_resolved(node, definitions)), definitions)
    schema = {key: value for key, value in node.items() if key not in _DROPPED}
    if schema.get("default", ...) is None:
        del schema["default"]
    if "description" in schema:
        schema["description"] = " ".join(schema["description"].split())
    if "properties" in schema:
        schema["properties"] = {name: _structural(child, definitions) for name, child in schema["properties"].items()}
    elif isinstance(node.get("additionalProperties"), dict):
        schema["additionalProperties"] = _structural(node["additionalProperties"], definitions)
    if "items" in schema:
        schema["items"] = _structural(schema["items"], definitions)
    return dict(sorted(schema.items(), key=lambda item: _order(item[0])))


def _resolved(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """Inline a reference; its siblings (a description, a default) override what it refers to."""
    if "$ref" not in node:
        return node
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return {**_resolved(definitions[node["$ref"].rsplit("/", 1)[1]], definitions), **beside}


def _without_null(node: Schema) -> Schema:
    """Turn `anyOf: [X, null]` into X: in the API an optional field is absent, not null."""
    options = [option for option in node.get("anyOf", []) if option != {"type": "null"}]
    if len(options) != 1:
        return node
    beside = {key: value for key, value in node.items() if key != "anyOf"}
    return {**options[0], **beside}


def _order(key: str) -> int:
    first = ["description", "type", "default", "enum", "required"]
    return first.index(key) if key in first else len(first) + (key in {"properties", "items", "additionalProperties"})


def custom_resource_definition() -> Schema:
    """Return the CRD of TTSService."""
    version: Schema = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root_schema()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "priority": priority, "description": text}
            for name, kind, path, priority, text in _COLUMNS
        ],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": list(names.SHORT_NAMES),
                "categories": list(names.CATEGORIES),
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def _root_schema() -> Schema:
    return {
        "description": "A text-to-speech service: the operator downloads its model, runs its workers and scales them.",
        "type": "object",
        "required": ["spec"],
        "x-kubernetes-validations": _NAME_RULES,
        "properties": {
            "apiVersion": {"description": f"{names.API_VERSION}.", "type": "string"},
            "kind": {"description": f"{names.KIND}.", "type": "string"},
            "metadata": {"type": "object"},
            "spec": structural_schema(TTSServiceSpec),
            # kstatus reads -1 as: the operator has not seen this object yet.
            "status": structural_schema(TTSServiceStatus) | {"default": {"observedGeneration": -1}},
        },
    }


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: a reader of the CRD, and helm, see every schema in full."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class gives it
        return True


def render() -> str:
    """Return the CRD as YAML."""
    head = "# Generated from operator/ttsoperator/spec/ by `python -m tools.crd`; do not edit.\n"
    return head + yaml.dump(custom_resource_definition(), Dumper=_Dumper, sort_keys=False, width=120)


def main(arguments: list[str]) -> None:
    """Write the CRD into a folder, `crds` when none is named."""
    target = Path(arguments[0] if arguments else "crds") / FILE_NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
