"""The model, and the volume that holds it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from ttscontract.words import one_of
from ttsoperator.spec.base import ApiModel, Name, Quantity, rule, rules
from ttsoperator.spec.engines import BUILTIN_SOURCES

DEFAULT_SIZE: Final = "10Gi"


class AccessMode(StrEnum):
    """Who may use the volume at once."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"


class ReclaimPolicy(StrEnum):
    """What becomes of the claim when the service is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class Model(ApiModel):
    """The model that the workers speak with."""

    model_config = rules(
        rule(
            "".join(f"self.source == '{source}' || " for source in BUILTIN_SOURCES)
            + "self.source.matches('^https?://[^/?#]+/.*[^/]$')",
            f"spec.model.source must be {', '.join(BUILTIN_SOURCES)}, or the https:// URL of a model file or archive",
            field=".source",
        ),
        rule(
            "!self.source.startsWith('http://') || has(self.sha256)",
            "an http:// source can be changed on its way: give spec.model.sha256, or use https://",
            field=".source",
        ),
        rule(
            "!self.source.matches('^https?://[^/?#]*@')",
            "spec.model.source must not carry a user name or password: everyone who may read the object would see it",
            field=".source",
        ),
        rule(
            "!self.source.startsWith('builtin://') || !has(self.sha256)",
            "a builtin:// model is part of the worker image and has no checksum: remove spec.model.sha256",
            field=".sha256",
        ),
    )

    source: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2048, pattern=r"^\S+$"),
        Field(
            description=f"Where the model comes from: {one_of(BUILTIN_SOURCES)} (a voice inside the worker image), or "
            "the https:// URL of a model file or of an archive (tar, tar.gz, zip) of a model folder; http:// only with "
            "sha256."
        ),
    ]
    sha256: Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the file or archive, 64 hexadecimal digits in lower case. The Job refuses any other content."""


class Storage(ApiModel):
    """The volume that holds the model."""

    model_config = rules(
        rule(
            "!has(self.existingClaimName) || "
            "!(has(self.size) || has(self.storageClassName) || has(self.reclaimPolicy))",
            "an existing claim has its own size, class and reclaim policy: remove them, or remove existingClaimName",
            field=".existingClaimName",
        )
    )

    size: Quantity | None = None
    """Size of the claim, 10Gi when absent. It may grow (where the StorageClass allows it), not shrink."""
    storage_class_name: Annotated[str, StringConstraints(max_length=253)] | None = None
    """StorageClass of the claim; the cluster's default when absent. Cannot be changed."""
    access_modes: Annotated[list[AccessMode], Field(min_length=1, max_length=2)] | None = None
    """ReadWriteOnce (when absent) keeps all workers on the volume's node; ReadWriteMany lets them spread. With an
    existing claim: what it allows. Cannot be changed."""
    existing_claim_name: Name | None = None
    """A claim of the service's namespace to use instead of one made for it; it is never deleted. Cannot be changed."""
    reclaim_policy: ReclaimPolicy | None = None
    """Delete (when absent): the claim goes with the service. Retain: it stays, and a service of the same name finds
    its model again."""
