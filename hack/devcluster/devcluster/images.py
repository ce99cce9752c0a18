"""Puts images into the running cluster: from buildah's or docker's storage, or from an archive.

Nothing is loaded twice: a loaded image carries the identity of what it was loaded from as a label, and layers
that containerd already has are left out.
"""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from devcluster import lifecycle
from devcluster.paths import State
from devcluster.terminal import Failure, Progress, say

_LABEL = "tts-operator.io/devcluster-id"


@dataclass(frozen=True)
class _Source:
    """An image that can be loaded: its full name, what tells it from others, and how to write an archive of it."""

    name: str
    identity: str
    save: Callable[[Path], Path]
    """Writes into a folder; returns an archive, or a folder that is an OCI layout with some blobs left out."""


def load(state: State, image: str) -> None:
    """Load an image into the running cluster, by name or from an archive; does nothing when it is there."""
    source = _from_archive(Path(image)) if Path(image).is_file() else _from_buildah(state, image) or _from_docker(image)
    if source is None:
        raise Failure(
            f"no image {image}: it is no file, and neither buildah nor docker has it; "
            "build it with `make images`, or name an archive of it"
        )
    if f"{_LABEL}={source.identity}" in _ctr(state, "images", "list", f"name=={source.name}"):
        say(f"{source.name} is loaded already")
        return
    progress = Progress(f"loading {source.name}")
    with tempfile.TemporaryDirectory(dir=state.root, prefix="load-") as folder:
        saved = source.save(Path(folder))
        progress.update("exported")
        _import(state, saved)
    if source.name not in _ctr(state, "images", "list", "--quiet").split():
        raise Failure(f"{image} was imported, but it does not hold an image of the name {source.name}")
    _ctr(state, "images", "label", source.name, f"{_LABEL}={source.identity}")
    _remove_unnamed(state)
    progress.done("loaded")


def _remove_unnamed(state: State) -> None:
    """Remove what lost its name to a newer image: nothing else ever would, and some are gigabytes.

    Containers that still run from it keep their files.
    """
    rows = [line.split() for line in _ctr(state, "images", "list").splitlines()[1:]]
    named = {digest for name, _, digest, *_ in rows if not name.startswith("sha256:")}
    if unnamed := [name for name, _, digest, *_ in rows if digest not in named]:
        _ctr(state, "images", "remove", *unnamed)


def _from_buildah(state: State, image: str) -> _Source | None:
    facts = _inspect(["buildah", "inspect", "--type", "image", image])
    if facts is None:
        return None
    name = _full_name(image)
    layers = [digest.removeprefix("sha256:") for digest in facts["OCIv1"]["rootfs"]["diff_ids"]]
    blobs = state.images / "io.containerd.content.v1.content" / "blobs" / "sha256"
    known = {layer: (blobs / layer).stat().st_size for layer in layers if (blobs / layer).exists()}

    def save(folder: Path) -> Path:
        if not known:
            _run(["buildah", "push", "--quiet", image, f"docker-archive:{folder}/image.tar:{name}"])
            return folder / "image.tar"
        # Empty files of the right size stand for layers containerd has, so that buildah need not write them.
        layout = folder / "blobs" / "sha256"
        layout.mkdir(parents=True)
        for layer, size in known.items():
            with (layout / layer).open("wb") as blob:
                blob.truncate(size)
        _run(["buildah", "push", "--quiet", image, f"oci:{folder}:{name}"])
        for layer in known:
            (layout / layer).unlink()
        return folder

    return _Source(name, str(facts["FromImageID"]), save)


def _from_docker(image: str) -> _Source | None:
    facts = _inspect(["docker", "image", "inspect", "--format", "{{json .}}", image])
    if facts is None:
        return None

    def save(folder: Path) -> Path:
        _run(["docker", "image", "save", "--output", f"{folder}/image.tar", image])
        return folder / "image.tar"

    return _Source(_full_name(image), str(facts["Id"]), save)


def _from_archive(path: Path) -> _Source:
    """A docker archive (manifest.json) or an OCI one (index.json); it must name its image."""
    documents: dict[str, Any] = {}
    try:
        with tarfile.open(path) as archive:
            for entry in archive:
                if entry.name in {"manifest.json", "index.json"} and (content := archive.extractfile(entry)):
                    documents[entry.name] = json.load(content)
    except (tarfile.TarError, ValueError) as error:
        raise Failure(f"{path} is no image archive: {str(error).splitlines()[0].rstrip(':')}") from error
    for manifest in documents.get("manifest.json", []):
        for tag in manifest.get("RepoTags") or []:
            return _Source(tag, manifest["Config"], lambda _: path)
    for manifest in documents.get("index.json", {}).get("manifests", []):
        annotations = manifest.get("annotations", {})
        for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name"):
            if "/" in annotations.get(key, ""):
                return _Source(annotations[key], manifest["digest"], lambda _: path)
    raise Failure(f"{path} does not name its image; export it so: `buildah push NAME oci-archive:FILE:NAME`")


def _full_name(image: str) -> str:
    """A name as Kubernetes will look for it; what was built without a registry is localhost's."""
    name = image if "/" in image else f"localhost/{image}"
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def _inspect(command: list[str]) -> dict[str, Any] | None:
    """What a tool knows of an image; None when it has no such image, or is not there itself."""
    if not shutil.which(command[0]):
        return None
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        return None
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def _import(state: State, saved: Path) -> None:
    """Feed an archive, or a folder as one, to containerd: by a pipe, since inside other folders may be seen."""
    command = lifecycle.inside_command(state, ["ctr", "images", "import", "-"])
    if saved.is_file():
        with saved.open("rb") as archive:
            _run(command, stdin=archive)
        return
    with subprocess.Popen(["tar", "--create", "--directory", str(saved), "."], stdout=subprocess.PIPE) as archiver:
        _run(command, stdin=archiver.stdout)


def _ctr(state: State, *arguments: str) -> str:
    return _run(lifecycle.inside_command(state, ["ctr", *arguments]))


def _run(command: list[str], stdin: IO[bytes] | None = None) -> str:
    result = subprocess.run(command, stdin=stdin or subprocess.DEVNULL, capture_output=True, check=False)
    if result.returncode:
        told = result.stderr.decode(errors="replace").strip()
        raise Failure(f"`{' '.join(command[-4:])}` failed: {told}")
    return result.stdout.decode()
