"""Read an untrusted tar with bounded memory and time: tarfile trusts the sizes and the number of headers.

tarfile reads the header of a file and those that extend it (long names, PAX records) by calling itself, keeps PAX
records for the whole archive, and parses them in a time that grows with the square of their length.
"""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NoReturn, Self, cast

from ttsworker.fetch.errors import FetchError, archive_invalid

MAX_HEADER_BYTES = 8192
"""Of one extending header. A path has 4096 bytes at most."""

MAX_HEADERS = 8
"""Of one file, with those that extend it; tar programs write four at most."""

MAX_GLOBAL_RECORDS = 100
"""PAX records for all files; git writes one."""

XZ_MEMORY_BYTES = 128 * 2**20
"""`xz -9` needs 65 MiB; a header may ask for 4 GiB."""

CHUNK_BYTES = 2**20
"""The most that is read at once."""

_EXTENDING = frozenset(
    {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
)


class Member(tarfile.TarInfo):
    """A member whose extending headers are bounded, and which is not sparse."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Parse one header."""
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDING and member.size > MAX_HEADER_BYTES:
            raise archive_invalid("one of its headers is too large")
        if member.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse_sparse()
        return member

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        """Read the next member; tarfile calls this again for each header that extends it."""
        tar = cast("Tar", tarfile)
        tar.headers += 1
        try:
            if tar.headers > MAX_HEADERS:
                raise archive_invalid(f"one of its files has more than {MAX_HEADERS} headers")
            return super().fromtarfile(tarfile)
        finally:
            tar.headers -= 1

    @staticmethod
    def _refuse_sparse(*_: object) -> NoReturn:
        raise archive_invalid("it has a sparse file: pack it again without --sparse")

    # What tarfile calls to read the maps of sparse files, which have no bound.
    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class Tar(tarfile.TarFile):
    """A tar that forgets the members it has given."""

    tarinfo = Member
    headers = 0
    """Of the member that is being read."""

    def each(self) -> Iterator[tarfile.TarInfo]:
        """Yield the members."""
        for member in self:
            if len(self.pax_headers) > MAX_GLOBAL_RECORDS:
                raise archive_invalid(f"it has more than {MAX_GLOBAL_RECORDS} PAX records for all files")
            self.members.clear()  # type: ignore[attr-defined] # keeps them from filling memory; typeshed lacks it
            yield member


class BoundedReader:
    """A decompressed stream, read forwards and up to `most` bytes; `too_much` makes the error beyond them.

    tarfile allocates whatever size a header claims, and a negative size makes it seek backwards for ever; no valid
    header does either. `last` holds the bytes of the last read.
    """

    def __init__(self, stream: IO[bytes], most: int | None, too_much: Callable[[], FetchError]) -> None:
        self._stream = stream
        self._most = most
        self._too_much = too_much
        self._at = 0
        self.last = b""

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes."""
        if not 0 <= count <= CHUNK_BYTES:
            raise archive_invalid("one of its headers is too large")
        if self._most is not None and self._at + count > self._most:
            raise self._too_much()
        self.last = self._stream.read(count)
        self._at += len(self.last)
        return self.last

    def seek(self, offset: int) -> int:
        """Skip to a later place, or to the end before it."""
        if offset < self._at:
            raise archive_invalid("one of its headers points backwards")
        while self._at < offset and self.read(min(CHUNK_BYTES, offset - self._at)):
            pass
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at


class _Xz(io.RawIOBase):
    """Decompresses xz, one stream after another, within XZ_MEMORY_BYTES."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = self._new()
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._decompressor.eof and not self._next_stream():
                return 0
            if self._decompressor.needs_input and not self._pending:
                self._pending = self._file.read(io.DEFAULT_BUFFER_SIZE)
                if not self._pending:
                    raise EOFError("it is truncated")
            data = self._decompressor.decompress(self._pending, len(buffer))
            self._pending = b""
            if data:
                buffer[: len(data)] = data
                return len(data)

    def _next_stream(self) -> bool:
        """Begin the stream after the one that ended and its padding; return whether there is one."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        while not rest:
            if not (more := self._file.read(io.DEFAULT_BUFFER_SIZE)):
                return False
            rest = more.lstrip(b"\0")
        self._decompressor, self._pending = self._new(), rest
        return True

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)


def _open_xz(file: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Xz(file))


_DECOMPRESSORS: dict[bytes, Callable[[IO[bytes]], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": _open_xz,
}


@contextmanager
def decompressed(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Give the content of a file that gzip, bzip2 or xz may have compressed."""
    opener = _DECOMPRESSORS.get(file.read(2))
    file.seek(0)
    if opener is None:
        yield file
        return
    with cast("IO[bytes]", opener(file)) as stream:
        yield stream
