"""Puts images into the cluster's containerd, from buildah, docker or an archive."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile
import tempfile
from pathlib import Path

from devcluster import lifecycle
from devcluster.config import CONTAINERD_SOCKET, PAUSE_IMAGE
from devcluster.paths import State
from devcluster.terminal import Failure, Progress, say

LABEL = "tts-operator.io/devcluster-id"
"""On a loaded image: the identity of what it was loaded from."""


def ctr(programs: Path, *arguments: str) -> list[str]:
    """The command line of ctr, in the namespace Kubernetes uses."""
    return [str(programs / "ctr"), "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", *arguments]


def load_pause_image(programs: Path) -> None:
    """Load the image of our own that every pod needs; called inside the namespaces."""
    binary = (programs / "pause").read_bytes()
    identity = hashlib.sha256(binary).hexdigest()
    listing = _run(ctr(programs, "images", "list", f"name=={PAUSE_IMAGE}")).decode()
    if identity in listing:
        return
    _run(ctr(programs, "images", "import", "-"), _pause_archive(binary))
    _run(ctr(programs, "images", "label", PAUSE_IMAGE, f"{LABEL}={identity}"))


def load(state: State, image: str) -> None:
    """Load an image by its name in buildah's or docker's storage, or from an archive; not twice the same."""
    programs = Path(lifecycle.read_report(state)["programs"])
    archive = Path(image)
    if archive.is_file():
        _import(state, programs, archive)
        say(f"loaded {image}")
        return
    identity = _buildah_identity(image)
    if identity is None:
        raise Failure(f"no image {image}: neither a file nor in buildah's storage (`buildah images`)")
    name = image if "/" in image else f"localhost/{image}"
    listing = _run(lifecycle.inside_command(state, ctr(programs, "images", "list", f"name=={name}"))).decode()
    if identity in listing:
        say(f"{image} is loaded already")
        return
    progress = Progress(f"loading {image}")
    with tempfile.TemporaryDirectory(dir=state.root, prefix="load-") as folder:
        archive = Path(folder) / "image.tar"
        _run(["buildah", "push", "--disable-compression", image, f"oci-archive:{archive}:{name}"])
        progress.update("exported")
        _import(state, programs, archive)
    _run(lifecycle.inside_command(state, ctr(programs, "images", "label", name, f"{LABEL}={identity}")))
    progress.done("loaded")


def _buildah_identity(image: str) -> str | None:
    result = subprocess.run(
        ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageID}}", image],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout.strip() if result.returncode == 0 else None


def _import(state: State, programs: Path, archive: Path) -> None:
    _run(lifecycle.inside_command(state, ctr(programs, "images", "import", str(archive))))


def _pause_archive(binary: bytes) -> bytes:
    """A docker archive of one layer: the program, by each of the names it goes by."""
    layer = _tar({"pause": binary}, links=dict.fromkeys(("volume", "serve", "get", "write", "burn"), "pause"))
    config = json.dumps({
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "WorkingDir": "/", "User": "0"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()  # fmt: skip
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]).encode()
    return _tar({"layer.tar": layer, "config.json": config, "manifest.json": manifest})


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _tar(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A tar archive that is the same every time."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return stream.getvalue()


def _run(command: list[str], stdin: bytes | None = None) -> bytes:
    result = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if result.returncode:
        raise Failure(f"`{' '.join(command[5:8])}` failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout
