"""The API keys in a mounted file; reloads the file when it changes."""

import hmac
import logging
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from ttsworker.http.access.keys import InvalidKeys, Key, digest_of, parse_keys

CHECK_SECONDS = 1.0
"""Interval of the checks whether the file changed."""

MAX_FILE_BYTES = 1_048_576
"""The maximum size of a Kubernetes Secret."""

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

log = logging.getLogger(__name__)

Stamp = tuple[int, ...]


class KeyFile:
    """The keys in the file. If a new version of the file is invalid, the old keys stay in force.

    Raises InvalidKeys if the first version is invalid. `clock` returns seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._problem: str | None = None
        try:
            self._stamp: Stamp = _stamp(path)
            self._keys = _read(path)
        except OSError as error:
            raise InvalidKeys(f"{path} cannot be read: {error.strerror}") from error
        self._next_check = clock() + CHECK_SECONDS

    def __len__(self) -> int:
        """Return how many keys are in force."""
        return len(self._keys)

    def find(self, presented: bytes) -> Key | None:
        """Return the key with this text, else None; a wrong key takes as long as a right one."""
        self._refresh()
        digest = digest_of(presented)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _refresh(self) -> None:
        if (now := self._clock()) < self._next_check:
            return
        self._next_check = now + CHECK_SECONDS
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                self._problem = None
                return
            self._keys = _read(self._path)
        except OSError as error:
            self._keep(f"{self._path} cannot be read: {error.strerror}")
        except InvalidKeys as error:
            self._stamp = stamp
            self._keep(str(error))
        else:
            self._stamp, self._problem = stamp, None
            log.info("keys read", extra={"keys": len(self._keys)})

    def _keep(self, problem: str) -> None:
        if problem != self._problem:
            log.error("keeping the previous keys: %s", problem)
            self._problem = problem


def _stamp(path: Path) -> Stamp:
    """Return a value that changes with the file, also when a symbolic link on its path changes its target."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> tuple[Key, ...]:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode  # of the file itself: a mounted Secret is a symbolic link to it
        content = file.read(MAX_FILE_BYTES + 1)
    try:
        if mode & _OTHERS_WRITE:
            raise InvalidKeys(
                f"others may write it (mode {stat.S_IMODE(mode):04o}), and so let themselves in: chmod go-w it, "
                "or set the defaultMode of its volume to 0440"
            )
        if len(content) > MAX_FILE_BYTES:
            raise InvalidKeys(f"it has more than {MAX_FILE_BYTES} bytes")
        return parse_keys(content)
    except InvalidKeys as error:
        raise InvalidKeys(f"{path}: {error}") from None
