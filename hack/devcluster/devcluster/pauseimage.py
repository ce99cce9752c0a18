"""Our own pause image, the first container of every pod, built from one static program."""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from devcluster.config import CONTAINERD_SOCKET, PAUSE_IMAGE, architecture
from devcluster.terminal import Failure

_COMMANDS = ("volume", "serve", "get", "write", "burn")
"""Other names of the program in the image."""


def load(programs: Path) -> None:
    """Load the image into containerd unless it has it; called inside the namespaces."""
    binary = (programs / "pause").read_bytes()
    archive = _archive(binary)
    label = f"tts-operator.io/devcluster-id={hashlib.sha256(archive).hexdigest()}"
    if label not in _ctr(programs, "images", "list", f"name=={PAUSE_IMAGE}"):
        _ctr(programs, "images", "import", "-", stdin=archive)
        _ctr(programs, "images", "label", PAUSE_IMAGE, label)


def _archive(binary: bytes) -> bytes:
    """Return a docker archive with one layer; the same program gives the same bytes."""
    layer = _tar({"pause": binary}, links=dict.fromkeys(_COMMANDS, "pause"))
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "Env": ["PATH=/"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    texts = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    return _tar({"layer.tar": layer, **texts}, links={})


def _tar(files: dict[str, bytes], links: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return stream.getvalue()


def _ctr(programs: Path, *arguments: str, stdin: bytes = b"") -> str:
    command = [str(programs / "ctr"), "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", *arguments]
    result = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if result.returncode:
        raise Failure(f"`ctr {' '.join(arguments)}` failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout.decode()
