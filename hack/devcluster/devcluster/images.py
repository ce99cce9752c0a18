"""Loads images into the running cluster: from buildah's or docker's storage, or from an archive.

It loads nothing twice: a loaded image has the identity of its source as a label, and containerd skips layers that it
already has.
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
    """An image to load: its full name, its identity, and how to write an archive of it."""

    name: str
    identity: str
    save: Callable[[Path], "_Saved"]
    """Returns the archive to write into a folder, and the command for it."""


@dataclass(frozen=True)
class _Saved:
    """An archive, and the command that writes it; no command if it already exists."""

    path: Path
    command: list[str]


def load(state: State, image: str) -> None:
    """Load an image into the running cluster, by name or from an archive; does nothing if it is loaded."""
    source = _from_archive(Path(image)) if Path(image).is_file() else _from_buildah(image) or _from_docker(image)
    if source is None:
        raise Failure(
            f"no image {image}: it is not a file, and neither buildah nor docker has it; "
            "build it with `make images`, or give the path of an archive"
        )
    if f"{_LABEL}={source.identity}" in _ctr(state, "images", "list", f"name=={source.name}"):
        say(f"{source.name} is loaded already")
        return
    progress = Progress(f"loading {source.name}")
    with tempfile.TemporaryDirectory(dir=state.root, prefix="load-") as folder:
        saved = source.save(Path(folder))
        if saved.command:
            _run(saved.command, tick=lambda: progress.update(f"{_bytes_below(Path(folder)) / 1e6:.0f} MB exported"))
        _import(state, saved.path, tick=lambda: progress.update("importing"))
    if source.name not in _ctr(state, "images", "list", "--quiet").split():
        raise Failure(f"{image} was imported, but it contains no image named {source.name}")
    _ctr(state, "images", "label", source.name, f"{_LABEL}={source.identity}")
    _remove_unnamed(state)
    progress.done("loaded")


def _remove_unnamed(state: State) -> None:
    """Remove images whose name a newer image took: nothing else removes them, and some have gigabytes.

    Containers that still use one keep their files.
    """
    rows = [line.split() for line in _ctr(state, "images", "list").splitlines()[1:]]
    named = {digest for name, _, digest, *_ in rows if not name.startswith("sha256:")}
    if unnamed := [name for name, _, digest, *_ in rows if digest not in named]:
        _ctr(state, "images", "remove", *unnamed)


def _from_buildah(image: str) -> _Source | None:
    facts = _inspect(["buildah", "inspect", "--type", "image", image])
    if facts is None:
        return None
    name = _full_name(image)

    def save(folder: Path) -> _Saved:
        # The only format that buildah does not compress: an OCI layout takes it ten times as long.
        archive = folder / "image.tar"
        return _Saved(archive, ["buildah", "push", "--quiet", image, f"docker-archive:{archive}:{name}"])

    return _Source(name, str(facts["FromImageID"]), save)


def _from_docker(image: str) -> _Source | None:
    facts = _inspect(["docker", "image", "inspect", "--format", "{{json .}}", image])
    if facts is None:
        return None

    def save(folder: Path) -> _Saved:
        archive = folder / "image.tar"
        return _Saved(archive, ["docker", "image", "save", "--output", str(archive), image])

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
        raise Failure(f"{path} is not an image archive: {str(error).splitlines()[0].rstrip(':')}") from error
    for manifest in documents.get("manifest.json", []):
        for tag in manifest.get("RepoTags") or []:
            return _Source(tag, manifest["Config"], lambda _: _Saved(path, []))
    for manifest in documents.get("index.json", {}).get("manifests", []):
        annotations = manifest.get("annotations", {})
        for key in ("io.containerd.image.name", "org.opencontainers.image.ref.name"):
            if "/" in annotations.get(key, ""):
                return _Source(annotations[key], manifest["digest"], lambda _: _Saved(path, []))
    raise Failure(f"{path} does not name its image; export it with `buildah push NAME oci-archive:FILE:NAME`")


def _full_name(image: str) -> str:
    """Return the name by which Kubernetes finds an image; without a registry it gets localhost."""
    name = image if "/" in image else f"localhost/{image}"
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def _inspect(command: list[str]) -> dict[str, Any] | None:
    """Return a tool's description of an image; None if the tool or its image does not exist."""
    if not shutil.which(command[0]):
        return None
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        return None
    facts: dict[str, Any] = json.loads(result.stdout)
    return facts


def _bytes_below(folder: Path) -> int:
    """Return the bytes written so far."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def _import(state: State, saved: Path, tick: Callable[[], None]) -> None:
    """Send an archive to containerd through a pipe, because the cluster may see other folders."""
    with saved.open("rb") as archive:
        _run(lifecycle.inside_command(state, ["ctr", "images", "import", "-"]), stdin=archive, tick=tick)


def _ctr(state: State, *arguments: str) -> str:
    return _run(lifecycle.inside_command(state, ["ctr", *arguments]))


def _run(command: list[str], stdin: IO[bytes] | None = None, tick: Callable[[], None] = lambda: None) -> str:
    """Return a command's output; calls `tick` every second while it runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        while True:
            try:
                output, complaint = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                tick()
    if process.returncode:
        raise Failure(f"`{' '.join(command[-4:])}` failed: {complaint.decode(errors='replace').strip()}")
    return output.decode()
