"""The CRD: crds/ matches the models, and the API server accepts its form."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.operator.schema import leaves, nodes
from tools import crd

ROOT = Path(__file__).parents[3]
DEFINITION = crd.custom_resource_definition()
[VERSION] = DEFINITION["spec"]["versions"]
SCHEMA: dict[str, Any] = VERSION["schema"]["openAPIV3Schema"]
FIELDS = [(".".join(path), node) for path, node in nodes(SCHEMA) if path and path[0] in {"spec", "status"}]


def test_crds_folder_is_up_to_date() -> None:
    there = (ROOT / "crds" / crd.FILE_NAME).read_text()
    assert there == crd.render(), "run `python -m tools.crd`"


def test_rendering_is_what_the_program_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crd.main([str(tmp_path / "new")])
    written = tmp_path / "new" / crd.FILE_NAME
    assert capsys.readouterr().out == f"{written}\n"
    assert yaml.safe_load(written.read_text()) == DEFINITION


def test_schema_is_structural() -> None:
    forbidden = {"$ref", "$defs", "title", "allOf", "oneOf", "not", "const", "exclusiveMinimum", "exclusiveMaximum"}
    for path, node in FIELDS:
        assert not forbidden & set(node), path
        assert ("type" in node) != ("anyOf" in node), path
        assert node.get("x-kubernetes-int-or-string") is ("anyOf" in node or None), path
        assert node.get("additionalProperties") is not False, path
        assert node.get("default", ...) is not None, path
        assert not {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"} & set(node), path


def test_every_string_list_and_map_is_bounded() -> None:
    """Or the API server would reckon each CEL rule with the largest object it can store."""
    for path, node in FIELDS:
        if node.get("type") == "string":
            assert {"maxLength", "enum"} & set(node), path
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if "additionalProperties" in node:
            assert "maxProperties" in node, path
        if node.get("type") == "integer":
            assert "minimum" in node, path


def test_kubectl_explains_every_field() -> None:
    for path, node in FIELDS:
        if not path.endswith(("[]", "{}")):
            assert node.get("description", "").endswith((".", ")")), path


def test_lists_of_named_things_can_be_shared_by_managers() -> None:
    for path, node in FIELDS:
        for key in node.get("x-kubernetes-list-map-keys", []):
            assert key in node["items"]["required"], path


def test_rules_say_what_to_do_and_point_at_a_field() -> None:
    rules = [(path, node, rule) for path, node in FIELDS for rule in node.get("x-kubernetes-validations", [])]
    assert len(rules) >= 18
    for path, node, rule in rules:
        assert len(rule["message"]) > 20, path
        assert rule.get("fieldPath", "").lstrip(".") in {"", *node["properties"]}, path


def test_enums_and_names_follow_the_conventions() -> None:
    for path, node in leaves(SCHEMA["properties"]["spec"], ("spec",)):
        if "enum" in node and path != ("spec", "engine"):
            assert all(value[0].isupper() for value in node["enum"]), path
        assert node.get("type") != "number", path
        assert all(step[0].islower() for step in path if step not in {"[]", "{}"}), path


def test_scale_and_columns_read_fields_that_exist() -> None:
    paths = {".".join(("", *path)) for path, _ in nodes(SCHEMA)}
    assert set(VERSION["subresources"]["scale"].values()) <= paths
    columns = {column["name"]: column for column in VERSION["additionalPrinterColumns"]}
    assert [name.upper() for name, column in columns.items() if not column["priority"]] == [
        *("ENGINE", "MODEL", "READY", "REPLICAS", "URL", "AGE")
    ]
    assert [name.upper() for name, column in columns.items() if column["priority"]] == ["VOICES", "RTF", "REASON"]
    read = {column["jsonPath"].split("[")[0] for column in columns.values()} - {".metadata.creationTimestamp"}
    assert read <= paths


def test_a_new_object_is_marked_as_not_yet_seen() -> None:
    assert SCHEMA["properties"]["status"]["default"] == {"observedGeneration": -1}


def test_names_are_those_people_type() -> None:
    spec = DEFINITION["spec"]
    assert DEFINITION["metadata"]["name"] == "ttsservices.tts-operator.io"
    assert (spec["names"]["shortNames"], spec["names"]["categories"], spec["scope"]) == (["tts"], ["tts"], "Namespaced")
