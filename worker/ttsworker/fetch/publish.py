"""Publish a model: flush it to the disk first, then make it visible atomically."""

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
    """Write a manifest for the workspace's tree and make the tree the published model; replace a damaged one.

    Readers see no model, the old model or the new one, never a partial one, even after a crash of the machine.
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
    """Swap two folders atomically; return False where the filesystem cannot (then no model exists for a moment)."""
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
