"""The model volume: the download Job writes it, workers mount it read-only.

MODEL_ROOT/<key>/                      a published model, whole or not there
MODEL_ROOT/<key>/MANIFEST_NAME         its manifest as JSON: the fields of `ModelManifest`
MODEL_ROOT/PARTIAL_FOLDER/<key>/       a download that is not published yet

An image may have a model too, `builtin://<name>`, published in the same way when the image was built:

IMAGE_MODELS/<name>/                   the model
IMAGE_CONFIG                           the settings that serve it, used where nothing else names a configuration
"""

from dataclasses import dataclass
from typing import Final

MODEL_ROOT: Final = "/models"
"""Where the pods mount the volume."""
IMAGE_MODELS: Final = "/opt/ttsworker/models"
IMAGE_CONFIG: Final = "/opt/ttsworker/worker.json"
PARTIAL_FOLDER: Final = ".partial"
MANIFEST_NAME: Final = ".manifest.json"

BUILTIN: Final = "builtin://"
"""The prefix of the source of a model that is part of the worker image: an engine's own, or one it was built with."""
IMAGE_MODEL_NAME: Final = "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?"
"""Pattern of the name of a model that an image was built with."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: its path below the folder, its size in bytes, the hex SHA-256 of its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ModelManifest:
    """What a model folder holds and where it came from; `source` is empty for a folder that nobody published.

    `sha256` is the checksum that the spec asks for, of the archive or the file; `digest` is that of the tree; `bytes`
    is the sum of the files' sizes.
    """

    source: str
    sha256: str | None
    digest: str
    bytes: int
    files: tuple[ModelFile, ...]
