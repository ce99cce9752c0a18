"""Publish a tree: on the disk first, then visible, in one step."""

import ctypes
import errno
import os
from pathlib import Path

from ttscontract.model_folder import ModelManifest
from ttsworker.fetch.workspace import Workspace
from ttsworker.models import store

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


def publish(workspace: Workspace, *, source: str, sha256: str | None) -> ModelManifest:
    """Describe the workspace's tree in a manifest and make it the published model, in the place of a damaged one.

    Whoever looks sees no model, the old one or the new one, never a part; after a crash of the machine too.
    """
    manifest = store.build_manifest(workspace.tree, source=source, sha256=sha256)
    store.write_manifest(workspace.tree, manifest)
    _flush(workspace.tree)
    if not os.path.lexists(workspace.published):
        workspace.tree.rename(workspace.published)
    elif not _exchange(workspace.tree, workspace.published):
        workspace.published.rename(workspace.replaced)
        workspace.tree.rename(workspace.published)
    _flush_one(workspace.root)
    return manifest


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the filesystem cannot (then there is a moment without a model)."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = libc.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    if code == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _flush(tree: Path) -> None:
    for folder, _, names in os.walk(tree, topdown=False):
        for name in names:
            _flush_one(Path(folder) / name)
        _flush_one(Path(folder))


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
