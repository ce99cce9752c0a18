"""Unpack an untrusted archive.

Unpacking creates only regular files and folders inside the target, and each file once; links to files of the same
archive become copies. Names or links that point outside the target, devices and unusual names make the whole archive
invalid, because an incomplete model cannot be used.
"""

import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ttscontract.model_folder import MANIFEST_NAME
from ttsworker.fetch.errors import FetchError, archive_invalid
from ttsworker.fetch.tarball import CHUNK_BYTES, BoundedReader, Tar, decompressed
from ttsworker.fetch.terms import TTSSERVICE, Terms
from ttsworker.fetch.workspace import remove, too_large

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")
MAX_ENTRIES = 10_000
"""Files and folders; a model has hundreds at most."""

MAX_DEPTH = 32
"""Folders in each other."""

MAX_ZIP_DIRECTORY_BYTES = 8 * 2**20
"""Of a zip's list of files, which zipfile reads whole; 100 entries have about 10 kB."""

_ZIP_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""zipfile decompresses other methods without a bound: 1.5 kB would take gigabytes of memory."""

_MAX_OVERHEAD = MAX_ENTRIES * 1024 + CHUNK_BYTES  # a header and its padding for each file
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


def unpack(archive: Path, target: Path, *, max_bytes: int | None = None, terms: Terms = TTSSERVICE) -> None:
    """Unpack a tar (plain, gzip, bzip2, xz) or zip into the new folder `target`; drop a single top-level folder.

    Raises FetchError: ArchiveInvalid for a damaged or unsafe archive, DiskFull for more content than `max_bytes`.
    """
    target.mkdir(parents=True)
    limit = _Limit(max_bytes, terms)
    unpacker = _Unpacker(target, limit)
    with _archive_errors():
        unpacker.write(_zip_entries(archive) if _is_zip(archive) else _tar_entries(archive, limit))
    _strip_top_folder(target)
    _drop_manifest(target)
    if not any(target.iterdir()):
        raise archive_invalid("it contains no file")


@dataclass(frozen=True)
class _Limit:
    """The bytes that the content may have, None for no limit, and the words of the error."""

    max_bytes: int | None
    terms: Terms

    def exceeded(self) -> FetchError:
        return too_large("the content of the archive", self.max_bytes or 0, self.terms)


class _Unpacker:
    def __init__(self, target: Path, limit: _Limit) -> None:
        self._target = target
        self._limit = limit
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
                raise archive_invalid(f"{link.path} links to {link.link_to}, which it does not contain")
            with origin.open("rb") as content:
                self._write_file(link.path, content)

    def _write_file(self, path: PurePosixPath, content: IO[bytes]) -> None:
        place = self._target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            while chunk := content.read(CHUNK_BYTES):
                self._written += len(chunk)
                if self._limit.max_bytes is not None and self._written > self._limit.max_bytes:
                    raise self._limit.exceeded()
                file.write(chunk)


def _tar_entries(archive: Path, limit: _Limit) -> Iterator[Entry]:
    most = None if limit.max_bytes is None else limit.max_bytes + _MAX_OVERHEAD
    with archive.open("rb") as file, decompressed(file) as stream:
        reader = BoundedReader(stream, most, limit.exceeded)
        with Tar(fileobj=cast("IO[bytes]", reader), mode="r") as tar:
            for count, member in enumerate(tar.each()):
                _check_count(count)
                if (entry := _tar_entry(tar, member)) is not None:
                    yield entry
        if reader.last.strip(b"\0"):  # tarfile treats a damaged header as the end
            raise archive_invalid("one of its headers is damaged")
        while reader.read(CHUNK_BYTES):  # reads to the end, where a compressed stream has its checksum
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
    raise archive_invalid(f"{path} is a device or pipe")


def _zip_entries(archive: Path) -> Iterator[Entry]:
    with archive.open("rb", buffering=0) as raw, _BoundedFile(raw) as bounded, zipfile.ZipFile(bounded) as file:
        _check_count(len(file.infolist()) - 1)
        for info in file.infolist():
            path = _safe(info.filename)
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise archive_invalid(f"{path} is encrypted")
            if info.compress_type not in _ZIP_METHODS:
                raise archive_invalid(f"{path} is compressed by another method than deflate: pack it again with zip")
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind == stat.S_IFLNK:
                with file.open(info) as content:
                    yield Entry(path, link_to=_link_target(path.parent, content.read(4096).decode()))
            elif kind in {0, stat.S_IFREG}:
                yield Entry(path, content=file.open(info))
            else:
                raise archive_invalid(f"{path} is a device or pipe")


class _BoundedFile(io.BufferedReader):
    """A zip whose list of files is read only if it is of a reasonable size."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = MAX_ZIP_DIRECTORY_BYTES
        if size > MAX_ZIP_DIRECTORY_BYTES:
            raise archive_invalid("its list of files is too large")
        return super().read(size)


def _is_zip(archive: Path) -> bool:
    """Check the first bytes: zipfile.is_zipfile would also accept a tar whose last file is a zip."""
    with archive.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


@contextmanager
def _archive_errors() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise archive_invalid(str(error) or "it is not readable") from error
    except (
        EOFError,
        NotImplementedError,
        OverflowError,
        RecursionError,
        UnicodeError,
        ValueError,
        struct.error,
    ) as error:
        raise archive_invalid(str(error) or "it is truncated") from error
    except OSError as error:
        if error.errno is None:  # bz2 raises a plain OSError
            raise archive_invalid(str(error)) from error
        if error.errno in _BAD_NAME_ERRNOS:
            raise archive_invalid(f"the volume does not accept one of its file names ({error.strerror})") from error
        raise


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise archive_invalid(f"{name!a} points outside the model's folder")
    if "\\" in name or not name.isprintable():
        raise archive_invalid(f"{name!a} is not a plain name")
    if len(path.parts) > MAX_DEPTH:
        raise archive_invalid(f"it has more than {MAX_DEPTH} folders in each other")
    return path


def _link_target(folder: PurePosixPath, name: str) -> PurePosixPath:
    """Resolve a link's target relative to its folder, without reading the disk."""
    if name.startswith("/"):
        raise archive_invalid(f"the link to {name!a} points outside the model's folder")
    parts: list[str] = []
    for part in (folder / name).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise archive_invalid(f"the link to {name!a} points outside the model's folder")
    return _safe("/".join(parts))


def _check_count(count: int) -> None:
    if count >= MAX_ENTRIES:
        raise archive_invalid(f"it has more than {MAX_ENTRIES} entries")


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
        raise archive_invalid(f"it contains a folder named {MANIFEST_NAME}")
    manifest.unlink(missing_ok=True)
