"""Unpack an untrusted archive.

Unpacking creates only regular files and folders inside the target, and each file once; links to files of the same
archive become copies. Names or links that point outside the target, devices and unusual names make the whole archive
invalid, because an incomplete model cannot be used.
"""

import bz2
import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ttscontract.model_folder import MANIFEST_NAME
from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.workspace import remove, too_large

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
MAX_ENTRIES = 100_000
_CHUNK = 1 << 20
_MAX_OVERHEAD = MAX_ENTRIES * 1024 + _CHUNK  # a header and its padding for each file
_DECOMPRESSORS: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
}
_BAD_NAME_ERRNOS = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its path and how to read it, or the path of the entry that it links to."""

    path: PurePosixPath
    content: IO[bytes] | None = None
    link_to: PurePosixPath | None = None


def is_archive(name: str) -> bool:
    """Return whether to unpack a file, by its name (a .pth or .npz is a zip too, but must not be unpacked)."""
    return name.lower().endswith(SUFFIXES)


def unpack(archive: Path, target: Path, *, max_bytes: int | None = None) -> None:
    """Unpack a tar (plain, gzip, bzip2, xz) or zip into the new folder `target`; drop a single top-level folder.

    Raises FetchError: ArchiveInvalid for a damaged or unsafe archive, DiskFull for more content than `max_bytes`.
    """
    target.mkdir(parents=True)
    unpacker = _Unpacker(target, max_bytes)
    with _archive_errors():
        unpacker.write(_zip_entries(archive) if _is_zip(archive) else _tar_entries(archive, max_bytes))
    _strip_top_folder(target)
    _drop_manifest(target)
    if not any(target.iterdir()):
        raise _invalid("it contains no file")


class _Unpacker:
    def __init__(self, target: Path, max_bytes: int | None) -> None:
        self._target = target
        self._max_bytes = max_bytes
        self._written = 0

    def write(self, entries: Iterator[Entry]) -> None:
        links = []
        for entry in entries:
            if entry.link_to is not None:
                links.append(entry)
            elif entry.content is not None:
                with entry.content:
                    self._write_file(entry.path, entry.content)
        for link in links:
            origin = self._target / cast("PurePosixPath", link.link_to)
            if not origin.is_file():
                raise _invalid(f"{link.path} links to {link.link_to}, which it does not contain")
            with origin.open("rb") as content:
                self._write_file(link.path, content)

    def _write_file(self, path: PurePosixPath, content: IO[bytes]) -> None:
        place = self._target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            while chunk := content.read(_CHUNK):
                self._written += len(chunk)
                if self._max_bytes is not None and self._written > self._max_bytes:
                    raise too_large("the content of the archive", self._max_bytes)
                file.write(chunk)


def _tar_entries(archive: Path, max_bytes: int | None) -> Iterator[Entry]:
    with archive.open("rb") as file, _decompressed(file) as stream:
        reader = _BoundedReader(stream, max_bytes)
        with tarfile.open(fileobj=cast("IO[bytes]", reader), mode="r:") as tar:
            for count, member in enumerate(tar):
                _check_count(count)
                # keeps the headers of a large archive from filling memory; typeshed lacks the attribute
                tar.members.clear()  # type: ignore[attr-defined]
                if (entry := _tar_entry(tar, member)) is not None:
                    yield entry
        if reader.last.strip(b"\0"):  # tarfile treats a damaged header as the end
            raise _invalid("one of its headers is damaged")
        while reader.read(_CHUNK):  # reads to the end, where a compressed stream has its checksum
            pass


def _tar_entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry | None:
    if member.isdir():
        _safe(member.name)
        return None
    path = _safe(member.name)
    if member.isreg():
        return Entry(path, content=tar.extractfile(member))
    if member.issym():
        return Entry(path, link_to=_link_target(path.parent, member.linkname))
    if member.islnk():
        return Entry(path, link_to=_link_target(PurePosixPath(), member.linkname))
    raise _invalid(f"{path} is a device or pipe")


def _zip_entries(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as file:
        _check_count(len(file.infolist()) - 1)
        for info in file.infolist():
            path = _safe(info.filename)
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise _invalid(f"{path} is encrypted")
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind == stat.S_IFLNK:
                with file.open(info) as content:
                    yield Entry(path, link_to=_link_target(path.parent, content.read(4096).decode()))
            elif kind in {0, stat.S_IFREG}:
                yield Entry(path, content=file.open(info))
            else:
                raise _invalid(f"{path} is a device or pipe")


class _BoundedReader:
    """A decompressed stream that limits what tarfile may read.

    tarfile allocates whatever size a header claims for its extra fields, and a negative size makes it seek backwards
    for ever; no valid header does either. `last` holds the bytes of the last read.
    """

    def __init__(self, stream: IO[bytes], max_bytes: int | None) -> None:
        self._stream = stream
        self.last = b""
        self._max_bytes = max_bytes

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= _CHUNK:
            raise _invalid("one of its headers is too large")
        self._check(self._stream.tell() + count)
        self.last = self._stream.read(count)
        return self.last

    def seek(self, offset: int) -> int:
        if offset < self._stream.tell():
            raise _invalid("one of its headers points backwards")
        self._check(offset)
        return self._stream.seek(offset)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, offset: int) -> None:
        if self._max_bytes is not None and offset > self._max_bytes + _MAX_OVERHEAD:
            raise too_large("the content of the archive", self._max_bytes)


def _is_zip(archive: Path) -> bool:
    """Check the first bytes: zipfile.is_zipfile would also accept a tar whose last file is a zip."""
    with archive.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


@contextmanager
def _decompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    opener = _DECOMPRESSORS.get(file.read(2))
    file.seek(0)
    if opener is None:
        yield file
        return
    with cast("IO[bytes]", opener(file)) as stream:
        yield stream


@contextmanager
def _archive_errors() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise _invalid(str(error) or "it is not readable") from error
    except (EOFError, NotImplementedError, UnicodeError, ValueError) as error:
        raise _invalid(str(error) or "it is truncated") from error
    except OSError as error:
        if error.errno is None:  # bz2 raises a plain OSError
            raise _invalid(str(error)) from error
        if error.errno in _BAD_NAME_ERRNOS:
            raise _invalid(f"the volume does not accept one of its file names ({error.strerror})") from error
        raise


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise _invalid(f"{name!a} points outside the model's folder")
    if "\\" in name or not name.isprintable():
        raise _invalid(f"{name!a} is not a plain name")
    return path


def _link_target(folder: PurePosixPath, name: str) -> PurePosixPath:
    """Resolve a link's target relative to its folder, without reading the disk."""
    if name.startswith("/"):
        raise _invalid(f"the link to {name!a} points outside the model's folder")
    parts: list[str] = []
    for part in (folder / name).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise _invalid(f"the link to {name!a} points outside the model's folder")
    return _safe("/".join(parts))


def _check_count(count: int) -> None:
    if count >= MAX_ENTRIES:
        raise _invalid(f"it has more than {MAX_ENTRIES} entries")


def _strip_top_folder(target: Path) -> None:
    entries = list(target.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        return
    top = target.with_name(target.name + ".top")
    remove(top)
    entries[0].rename(top)
    target.rmdir()
    top.rename(target)


def _drop_manifest(target: Path) -> None:
    """Delete the manifest of a published model that was packed again; publishing writes a new one."""
    manifest = target / MANIFEST_NAME
    if manifest.is_dir():
        raise _invalid(f"it contains a folder named {MANIFEST_NAME}")
    manifest.unlink(missing_ok=True)


def _invalid(why: str) -> FetchError:
    return FetchError(Reason.ARCHIVE_INVALID, f"the archive cannot be used: {why}")
