"""The folders of one model on the volume, and the errors of a volume.

/models/<key>/                  the published model, complete or absent
/models/.partial/<key>/         the download and the tree being made, on the same filesystem so that rename works
/models/.partial/<key>.lock     held (flock) by the one program that works on this key
"""

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ttscontract.model_folder import PARTIAL_FOLDER
from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.terms import TTSSERVICE, Terms

_SHARE_OF_FREE_SPACE = 0.9

log = logging.getLogger(__name__)


class Workspace:
    """The folders where one model is prepared and published."""

    def __init__(self, root: Path, key: str, terms: Terms = TTSSERVICE) -> None:
        if not key or key.startswith(".") or "/" in key:
            message = f"the key {key!r} is not a plain folder name"
            raise FetchError(Reason.SOURCE_INVALID, message)
        self.root = root
        self.key = key
        self._terms = terms
        self.published = root / key
        self.partials = root / PARTIAL_FOLDER
        self.partial = self.partials / key
        self.download = self.partial / "download"
        self.download_state = self.partial / "download.json"
        self.tree = self.partial / "tree"
        self.replaced = self.partial / "replaced"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this key's lock; wait while another process holds it. The lock ends with the process."""
        self.partials.mkdir(parents=True, exist_ok=True)
        with _lock_file(self.partial).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("another download of this model is running: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def make_partial(self) -> None:
        """Create the folder for the download, and remove an earlier run's unfinished tree."""
        self.partial.mkdir(parents=True, exist_ok=True)
        self.drop_tree()
        remove(self.replaced)

    def drop_download(self) -> None:
        """Delete the bytes downloaded so far."""
        self.download.unlink(missing_ok=True)
        self.download_state.unlink(missing_ok=True)

    def drop_tree(self) -> None:
        """Remove the unfinished tree."""
        remove(self.tree)

    def clean(self) -> None:
        """Remove everything except the published model and the lock file, which must outlive its holders."""
        remove(self.partial)

    def limit(self, max_bytes: int | None) -> int:
        """Return how many bytes a download, or its unpacked content, may have; by default most of the free space.

        Others may use the volume too, so a source that never ends must not fill it.
        """
        if max_bytes is not None:
            return max_bytes
        have = self.download.stat().st_size if self.download.exists() else 0
        return int(free_bytes(self.root) * _SHARE_OF_FREE_SPACE) + have

    def require_space(self, needed: int, what: str) -> None:
        """Raise DiskFull unless `needed` bytes are free; if not, delete other models' unfinished downloads first."""
        if free_bytes(self.root) < needed:
            self._drop_idle_partials()
        if (free := free_bytes(self.root)) < needed:
            lack = f"{what} needs {size(needed)} and the volume has only {size(free)} free"
            message = f"{lack}: {self._terms.more_room}"
            raise FetchError(Reason.DISK_FULL, message)

    def _drop_idle_partials(self) -> None:
        for partial in self.partials.iterdir():
            if partial == self.partial or not partial.is_dir():
                continue
            with _lock_file(partial).open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                log.info("removing an unfinished download of another model to make room", extra={"key": partial.name})
                remove(partial)


@contextmanager
def storage_errors(root: Path, terms: Terms = TTSSERVICE) -> Iterator[None]:
    """Turn an OSError of the volume into DiskFull or StorageUnusable."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message = f"the volume is full ({size(free_bytes(root))} free): {terms.more_room}"
            raise FetchError(Reason.DISK_FULL, message) from error
        message = (
            f"the volume at {root} cannot be used ({error.strerror or error}): it must be writable for user "
            f"{os.getuid()}, group {os.getgid()}"
        )
        raise FetchError(Reason.STORAGE_UNUSABLE, message) from error


def too_large(what: str, limit: int, terms: Terms = TTSSERVICE) -> FetchError:
    """Return the error for more bytes than the limit, which is the size or the free space of the volume."""
    return FetchError(Reason.DISK_FULL, f"{what} is larger than the limit of {size(limit)}: {terms.more_room}")


def free_bytes(path: Path) -> int:
    """Return how many bytes a non-root user may still write."""
    figures = os.statvfs(path)
    return figures.f_bavail * figures.f_frsize


def size(count: int) -> str:
    """Format a number of bytes for a person."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def remove(path: Path) -> None:
    """Remove a folder or file of this path if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lock_file(partial: Path) -> Path:
    return partial.with_name(partial.name + ".lock")
