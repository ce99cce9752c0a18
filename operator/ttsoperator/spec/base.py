"""The base of all API models: names in camelCase, docstrings as `kubectl explain` texts, bounded types."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from ttscontract.worker_config import Setting
from ttsoperator.spec import quantities


class ApiModel(BaseModel):
    """A group of fields.

    Ignores fields that this version does not know, like the API server: during an upgrade the CRD may be newer than the
    operator.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    def rendered(self) -> dict[str, Any]:
        """Return the set fields with the API's names."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def rules(*validations: dict[str, str], **extra: object) -> ConfigDict:
    """Return a model configuration that carries CEL rules into the CRD."""
    schema: dict[str, Any] = {"x-kubernetes-validations": list(validations), **extra}
    return ConfigDict(json_schema_extra=schema)


def rule(expression: str, message: str, *, field: str | None = None) -> dict[str, str]:
    """Return one CEL rule; the error points at `field`, a path inside the object."""
    found = {"rule": expression, "message": message}
    return found | {"fieldPath": field} if field else found


def setting(row: Setting[object]) -> Any:
    """Return the field of a worker's setting, with the default, the bounds and the help of its row."""
    return Field(row.default, ge=row.least_whole_number, le=row.maximum, description=row.help)


def map_list(*keys: str) -> dict[str, Any]:
    """Mark a list as a map whose items are identified by `keys`, so that several field managers can share it."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def _quantity_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    StringConstraints(max_length=32, pattern=quantities.PATTERN),
    BeforeValidator(_quantity_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": quantities.PATTERN,
            "maxLength": 32,
            "x-kubernetes-int-or-string": True,
        }
    ),
]

Name = Annotated[str, StringConstraints(min_length=1, max_length=253)]
"""The name of an object, the key of a label, and similar names."""
LabelValue = Annotated[str, StringConstraints(max_length=63)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=64)]
Annotations = Annotated[dict[str, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=64)]
Quantities = Annotated[dict[str, Quantity], Field(max_length=16)]
