"""The fields of the model, and of the volume that stores it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from ttscontract.model_folder import BUILTIN, IMAGE_MODEL_NAME
from ttscontract.words import one_of
from ttsoperator.spec.base import ApiModel, Name, Quantities, Quantity, rule, rules
from ttsoperator.spec.engines import BUILTIN_SOURCES

DEFAULT_SIZE: Final = "10Gi"


class AccessMode(StrEnum):
    """The nodes that may use the volume at the same time."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"


class ReclaimPolicy(StrEnum):
    """What happens to the claim when the service is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class DownloadResources(ApiModel):
    """Compute resources of the download Job's container."""

    requests: Quantities | None = None
    """Resources that the scheduler reserves for the Job."""
    limits: Quantities | None = None
    """The most resources that the Job may use. A ResourceQuota may ask for a CPU limit, which the default lacks."""


class Model(ApiModel):
    """The model that the workers serve."""

    model_config = rules(
        rule(
            "".join(f"self.source == '{source}' || " for source in BUILTIN_SOURCES)
            + f"self.source.matches('^{BUILTIN}{IMAGE_MODEL_NAME}$') || "
            + "self.source.matches('^https?://[^/?#]+/.*[^/]$')",
            f"spec.model.source must be {', '.join(BUILTIN_SOURCES)}, or the https:// URL of a model file or archive, "
            f"or {BUILTIN} and the name of a model that the worker image was built with",
            field=".source",
        ),
        rule(
            "!self.source.startsWith('http://') || has(self.sha256)",
            "http:// does not protect the download: set spec.model.sha256, or use https://",
            field=".source",
        ),
        rule(
            "!self.source.matches('^https?://[^/?#]*@')",
            "spec.model.source must not contain a user name or password: everybody who reads the object would see it",
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
            f"sha256. {BUILTIN} and a name: a model that the image of spec.image was built with."
        ),
    ]
    sha256: Annotated[str, StringConstraints(max_length=64, pattern=r"^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the file or archive, 64 lower-case hexadecimal digits. The download Job rejects any other content."""
    download_resources: DownloadResources | None = None
    """Compute resources of the download Job; they replace the default as a whole: 100m CPU and 128Mi of memory
    requested, 512Mi of memory as limit."""


class Storage(ApiModel):
    """The volume that stores the model."""

    model_config = rules(
        rule(
            "!has(self.existingClaimName) || "
            "!(has(self.size) || has(self.storageClassName) || has(self.reclaimPolicy))",
            "an existing claim has its own size, class and reclaim policy: remove them, or remove existingClaimName",
            field=".existingClaimName",
        )
    )

    size: Quantity | None = None
    """Size of the claim, 10Gi when absent. It can grow if the StorageClass allows it. A claim cannot
    shrink: a smaller size leaves it as it is, and is how to take back a growth that the StorageClass refused."""
    storage_class_name: Annotated[str, StringConstraints(max_length=253)] | None = None
    """StorageClass of the claim; the cluster's default when absent. Cannot be changed."""
    access_modes: Annotated[list[AccessMode], Field(min_length=1, max_length=2)] | None = None
    """ReadWriteOnce (the default) keeps all workers on the volume's node; ReadWriteMany lets them spread. With an
    existing claim, set a mode that it allows. Cannot be changed."""
    existing_claim_name: Name | None = None
    """An existing claim in the service's namespace to use instead of a new one; the operator never deletes it. Cannot
    be changed."""
    reclaim_policy: ReclaimPolicy | None = None
    """Delete (the default) deletes the claim with the service. Retain keeps it, and a later service of the same name
    uses its model again."""
