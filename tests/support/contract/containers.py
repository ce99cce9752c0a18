"""Runs programs in a built image as strictly as the operator's pods do: not root, no capability, a read-only root."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

Finished = subprocess.CompletedProcess[str]


class Image(Protocol):
    """A built image."""

    config: dict[str, Any]
    """User, Env, Entrypoint, Cmd, Labels: the image's configuration, as the OCI image specification names them."""

    def run(self, *command: str) -> Finished:
        """Run a program in a container of its own; only /tmp can be written, and there is no network."""


class DockerImage:
    """An image in the storage of a docker engine."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.config: dict[str, Any] = json.loads(
            _output("docker", "image", "inspect", "--format", "{{json .Config}}", tag)
        )

    def run(self, *command: str) -> Finished:
        """Run a program with docker."""
        strictly = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        return _run(["docker", "run", "--rm", "--network=none", *strictly, "--entrypoint=", self._tag, *command])


class RuncImage:
    """Files of an image, which runc starts as they are."""

    def __init__(self, config: dict[str, Any], root: Path, bundle: Path) -> None:
        self.config = config
        self._root = root
        self._bundle = bundle

    def run(self, *command: str) -> Finished:
        """Run a program with runc."""
        user, group = self.config["User"].split(":")
        _output("runc", "spec", "--bundle", str(self._bundle))
        spec_file = self._bundle / "config.json"
        spec = json.loads(spec_file.read_text())
        spec["root"] = {"path": str(self._root), "readonly": True}
        spec["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]})
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": int(user), "gid": int(group)},
            "capabilities": {},
            "noNewPrivileges": True,
            "args": list(command),
            "env": self.config["Env"],
            "cwd": self.config.get("WorkingDir") or "/",
        }
        spec_file.write_text(json.dumps(spec))
        try:
            return _run(["runc", "run", "--bundle", str(self._bundle), f"tts-contract-{uuid.uuid4().hex[:8]}"])
        finally:
            spec_file.unlink()


@contextmanager
def built_image(tag: str, bundle: Path) -> Iterator[Image]:
    """The image that hack/images has built with whichever program it found."""
    if shutil.which("docker") and _run(["docker", "info"]).returncode == 0:
        yield DockerImage(tag)
        return
    container = _output("buildah", "from", "--pull-never", tag).strip()
    try:
        root = Path(_output("buildah", "mount", container).strip())
        inspected = json.loads(_output("buildah", "inspect", "--type", "image", tag))
        yield RuncImage(inspected["OCIv1"]["config"], root, bundle)
    finally:
        _output("buildah", "umount", container)
        _output("buildah", "rm", container)


def _run(command: Sequence[str]) -> Finished:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, errors="replace"
    )


def _output(*command: str) -> str:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
