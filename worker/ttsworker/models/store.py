"""A model's folder, and the manifest that says what is in it.

The download writes the manifest last. The worker checks the folder against it before it loads a model. A folder that
somebody copied or mounted has no manifest; a user's worker loads it as it is, and the operator's worker refuses it,
because on a volume it may be half a download.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from ttscontract.model_folder import IMAGE_MODELS, MANIFEST_NAME, ModelFile, ModelManifest
from ttscontract.reasons import Reason
from ttscontract.worker_config import Manager
from ttsworker.engines.errors import ModelError

log = logging.getLogger(__name__)


class ModelMissing(ModelError):
    """There is no model in the folder."""

    reason = Reason.MODEL_MISSING


class ModelCorrupt(ModelError):
    """The folder is not what its manifest says; `advice` says what to do about the `difference`."""

    reason = Reason.MODEL_CORRUPT

    def __init__(self, directory: Path, difference: str) -> None:
        super().__init__(directory, difference)
        self.directory = directory
        self.difference = difference
        self.advice = ""

    def __str__(self) -> str:
        return f"the model at {self.directory} is damaged: {self.difference}{self.advice and '; '}{self.advice}"


_REPAIR: Final = {
    Manager.OPERATOR: "delete the download Job so that it is downloaded again",
    Manager.USER: f"fetch it again with `ttsworker fetch`, or delete {MANIFEST_NAME} to load the folder as it is",
}

_OTHER_IMAGE: Final = "build the image again"
_NOT_ON_VOLUME: Final = "delete the download Job so that it runs again, or check what is mounted there"
_NOT_IN_IMAGE: Final = "this image was not built with it; correct spec.image, or the name in spec.model.source"

_MANIFESTS: Final = TypeAdapter(ModelManifest)


def digest_of(files: Iterable[ModelFile]) -> str:
    """Return the digest of a tree: SHA-256 over what `sha256sum` prints of its files, sorted by path."""
    lines = (f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def build_manifest(directory: Path, *, source: str, sha256: str | None = None) -> ModelManifest:
    """Read every file of a folder and describe it; ModelCorrupt for a link or a device in it."""
    files = tuple(_describe(directory, path) for path in _files(directory))
    return _manifest_of(files, source=source, sha256=sha256)


def _manifest_of(files: tuple[ModelFile, ...], *, source: str, sha256: str | None = None) -> ModelManifest:
    return ModelManifest(source, sha256, digest_of(files), sum(file.size for file in files), files)


def write_manifest(directory: Path, manifest: ModelManifest) -> None:
    """Write a manifest into its folder and flush it to the disk."""
    with (directory / MANIFEST_NAME).open("w", encoding="utf-8") as file:
        file.write(_MANIFESTS.dump_json(manifest, indent=1).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())


def verify_model(directory: Path, manager: Manager = Manager.OPERATOR) -> ModelManifest:
    """Check that a folder holds exactly the files of its manifest, by size and SHA-256, and return the manifest.

    For a user's folder without a manifest, describe what is in it. Reads every byte (about 1 s for 1 GB). Raises
    ModelMissing, or ModelCorrupt naming the first difference.
    """
    try:
        manifest = _read_manifest(directory)
        if manifest is None:
            manifest = _unpublished(directory, manager)
            log.info(
                "the model folder has no manifest: its files are loaded unverified",
                extra={"model_dir": str(directory), "files": len(manifest.files), "bytes": manifest.bytes},
            )
        else:
            _verify(directory, manifest)
    except ModelCorrupt as error:
        error.advice = _OTHER_IMAGE if directory.is_relative_to(IMAGE_MODELS) else _REPAIR[manager]
        raise
    return manifest


def digest_at(directory: Path, manager: Manager) -> str:
    """Return the digest of a folder without verifying it; raises ModelError where there is no model."""
    return (_read_manifest(directory) or _unpublished(directory, manager)).digest


def _read_manifest(directory: Path) -> ModelManifest | None:
    """Read a folder's manifest; None without one, ModelCorrupt for one that is not valid."""
    try:
        return _MANIFESTS.validate_json((directory / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelCorrupt(directory, f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ModelCorrupt(directory, f"{MANIFEST_NAME} is not a valid manifest") from error


def _unpublished(directory: Path, manager: Manager) -> ModelManifest:
    """Describe a folder without a manifest: the files that this process can read, links to files too.

    What it cannot read, such as `lost+found` of a disk, the engine cannot read either. Raises ModelMissing.
    """
    if manager is Manager.OPERATOR:
        of_image = directory.is_relative_to(IMAGE_MODELS)
        raise _missing(directory, _NOT_IN_IMAGE if of_image else _NOT_ON_VOLUME)
    try:
        if not any(directory.iterdir()):
            raise _missing(directory, "the folder is empty; check what is mounted there")
    except FileNotFoundError as error:
        raise _missing(directory, "the folder does not exist; check model_dir, and what is mounted there") from error
    except NotADirectoryError as error:
        raise _missing(directory, "that is a file; set model_dir to its folder") from error
    except OSError as error:
        message = f"the folder cannot be read ({error.strerror}) by user {os.getuid()}; change its owner or mode"
        raise _missing(directory, message) from error
    paths = (Path(folder, name) for folder, _, names in os.walk(directory) for name in names)
    readable = (path for path in paths if path.is_file() and os.access(path, os.R_OK))
    files = tuple(_describe(directory, path.relative_to(directory).as_posix()) for path in readable)
    return _manifest_of(files, source="")


def _missing(directory: Path, why: str) -> ModelMissing:
    return ModelMissing(f"no model at {directory}: {why}")


def _verify(directory: Path, manifest: ModelManifest) -> None:
    if manifest.digest != digest_of(manifest.files):
        raise ModelCorrupt(directory, f"the digest in {MANIFEST_NAME} is not that of its files")
    log.info("verifying model", extra={"model_dir": str(directory), "bytes": manifest.bytes})
    expected = {file.path: file for file in manifest.files}
    found = set(_files(directory))
    if unlisted := sorted(found - expected.keys()):
        raise ModelCorrupt(directory, f"{unlisted[0]} is not in its manifest")
    for path, file in expected.items():
        if path not in found:
            raise ModelCorrupt(directory, f"{path} is missing")
        _verify_file(directory, file)


def _verify_file(directory: Path, file: ModelFile) -> None:
    size = (directory / file.path).stat().st_size
    if size != file.size:
        raise ModelCorrupt(directory, f"{file.path} has {size} bytes instead of {file.size}")
    if _describe(directory, file.path).sha256 != file.sha256:
        raise ModelCorrupt(directory, f"the content of {file.path} has changed")


def _describe(directory: Path, path: str) -> ModelFile:
    try:
        with (directory / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return ModelFile(path=path, size=os.fstat(file.fileno()).st_size, sha256=digest)
    except OSError as error:
        raise ModelCorrupt(directory, f"{path} cannot be read ({error.strerror})") from error


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
                raise ModelCorrupt(directory, f"{relative} is not a regular file")
            found.append(relative)
    yield from sorted(found)


def _raise(error: OSError) -> None:
    raise ModelCorrupt(Path(error.filename), f"it cannot be listed ({error.strerror})") from error
