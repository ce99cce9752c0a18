"""A model on the volume: a folder and the manifest that says what is in it.

The download Job writes the manifest last; the worker checks the folder against it before it loads a model.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from ttscontract.model_folder import MANIFEST_NAME, ModelFile, ModelManifest
from ttscontract.reasons import Reason
from ttsworker.engines.errors import ModelError

log = logging.getLogger(__name__)


class ModelMissing(ModelError):
    """There is no published model in the folder."""

    reason = Reason.MODEL_MISSING


class ModelCorrupt(ModelError):
    """The folder is not what its manifest says."""

    reason = Reason.MODEL_CORRUPT


_MANIFESTS: Final = TypeAdapter(ModelManifest)


def digest_of(files: Iterable[ModelFile]) -> str:
    """Return the digest of a tree: SHA-256 over what `sha256sum` prints of its files, sorted by path."""
    lines = (f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def build_manifest(directory: Path, *, source: str, sha256: str | None = None) -> ModelManifest:
    """Read every file of a folder and describe it; ModelCorrupt for a link or a device in it."""
    files = tuple(_describe(directory, path) for path in _files(directory))
    return ModelManifest(
        source=source, sha256=sha256, digest=digest_of(files), bytes=sum(file.size for file in files), files=files
    )


def write_manifest(directory: Path, manifest: ModelManifest) -> None:
    """Write a manifest into its folder and flush it to the disk."""
    with (directory / MANIFEST_NAME).open("w", encoding="utf-8") as file:
        file.write(_MANIFESTS.dump_json(manifest, indent=1).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(directory: Path) -> ModelManifest:
    """Read a folder's manifest; raises ModelMissing without one and ModelCorrupt for one that is not valid."""
    path = directory / MANIFEST_NAME
    try:
        return _MANIFESTS.validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        message = (
            f"no model at {directory}: delete the download Job so that it runs again, or check what is mounted there"
        )
        raise ModelMissing(message) from error
    except OSError as error:
        raise _corrupt(directory, f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise _corrupt(directory, f"{MANIFEST_NAME} is not a valid manifest") from error


def verify_model(directory: Path) -> ModelManifest:
    """Check that a folder holds exactly the files of its manifest, by size and SHA-256, and return the manifest.

    Reads every byte (about 1 s for 1 GB). Raises ModelMissing, or ModelCorrupt naming the first difference.
    """
    manifest = read_manifest(directory)
    if manifest.digest != digest_of(manifest.files):
        raise _corrupt(directory, f"the digest in {MANIFEST_NAME} is not that of its files")
    log.info("verifying model", extra={"model_dir": str(directory), "bytes": manifest.bytes})
    expected = {file.path: file for file in manifest.files}
    found = set(_files(directory))
    if unlisted := sorted(found - expected.keys()):
        raise _corrupt(directory, f"{unlisted[0]} is not in its manifest")
    for path, file in expected.items():
        if path not in found:
            raise _corrupt(directory, f"{path} is missing")
        _verify_file(directory, file)
    return manifest


def _verify_file(directory: Path, file: ModelFile) -> None:
    size = (directory / file.path).stat().st_size
    if size != file.size:
        raise _corrupt(directory, f"{file.path} has {size} bytes instead of {file.size}")
    if _describe(directory, file.path).sha256 != file.sha256:
        raise _corrupt(directory, f"the content of {file.path} has changed")


def _describe(directory: Path, path: str) -> ModelFile:
    try:
        with (directory / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return ModelFile(path=path, size=os.fstat(file.fileno()).st_size, sha256=digest)
    except OSError as error:
        raise _corrupt(directory, f"{path} cannot be read ({error.strerror})") from error


def _files(directory: Path) -> Iterator[str]:
    """Yield the relative path of every file but the manifest, sorted; ModelCorrupt for what is no file or folder."""
    found = []
    for folder, _, names in os.walk(directory, onerror=_raise):
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(directory).as_posix()
            if relative == MANIFEST_NAME:
                continue
            if path.is_symlink() or not path.is_file():
                raise _corrupt(directory, f"{relative} is not a regular file")
            found.append(relative)
    yield from sorted(found)


def _raise(error: OSError) -> None:
    raise _corrupt(Path(error.filename), f"it cannot be listed ({error.strerror})") from error


def _corrupt(directory: Path, difference: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"the model at {directory} is damaged: {difference}; delete the download Job so that it is downloaded again"
    )
