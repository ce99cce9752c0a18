"""Small archives that would cost much memory or time before the size of their content is checked."""

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.support.worker.archives import FILES, pack, pack_tar, refused, unpacked
from ttscontract.reasons import Reason
from ttsworker.fetch import archive
from ttsworker.fetch.tarball import MAX_GLOBAL_RECORDS, MAX_HEADER_BYTES, MAX_HEADERS

BOMB = bytes(20_000_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_cannot_be_decompressed_piece_by_piece_is_refused(method: int, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("bomb", BOMB)
    assert len(buffer.getvalue()) < 20_000
    assert "bomb is compressed by another method than deflate" in refused(buffer.getvalue(), tmp_path, max_bytes=1000)
    assert not list((tmp_path / "tree").iterdir())


def test_a_zip_with_an_endless_list_of_files_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_ZIP_DIRECTORY_BYTES", 10_000)
    assert "list of files" in refused(pack(".zip", {f"{number:0200}": b"" for number in range(50)}), tmp_path)


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_folders_in_each_other_are_counted(suffix: str, tmp_path: Path) -> None:
    for name, depth in (("deep", 31), ("deeper", 32), ("deepest", 1500)):
        (tmp_path / name).mkdir()
        packed = pack(suffix, {"a/" * depth + "b": b"b", "c": b"c"})
        if name == "deep":
            unpacked(packed, tmp_path / name)
        else:
            assert "32 folders" in refused(packed, tmp_path / name)


def header(kind: bytes, content: bytes, name: str = "././@LongLink") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    return info.tobuf() + content + bytes(-len(content) % 512)


def record(name: str, value: str) -> bytes:
    rest = f" {name}={value}\n".encode()
    length = len(rest) + len(str(len(rest)))
    return str(length + (len(str(length)) > len(str(len(rest))))).encode() + rest


PAX = record("comment", "x")
EXTENDING = {
    "long names": header(tarfile.GNUTYPE_LONGNAME, b"name\0"),
    "long links": header(tarfile.GNUTYPE_LONGLINK, b"name\0"),
    "PAX": header(tarfile.XHDTYPE, PAX),
    "global PAX": header(tarfile.XGLTYPE, PAX),
    "Solaris": header(tarfile.SOLARIS_XHDTYPE, PAX),
    "mixed": header(tarfile.XHDTYPE, PAX) + header(tarfile.GNUTYPE_LONGNAME, b"name\0"),
}


@pytest.mark.parametrize("kind", EXTENDING)
@pytest.mark.parametrize("count", [MAX_HEADERS, 5000])
def test_thousands_of_headers_of_one_file_are_refused(kind: str, count: int, tmp_path: Path) -> None:
    data = EXTENDING[kind] * count + pack_tar({"file": b"content"})
    assert "more than 8 headers" in refused(data, tmp_path)


def test_a_few_headers_of_one_file_are_read(tmp_path: Path) -> None:
    data = EXTENDING["long names"] * 2 + EXTENDING["PAX"] * 2 + pack_tar({"file": b"content"})
    assert unpacked(data, tmp_path) == {"name": b"content"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("content", [b"1" * 500_000, b"2 " * 250_000 + b"="], ids=["digits", "records"])
def test_a_header_that_takes_quadratic_time_is_not_parsed(kind: bytes, content: bytes, tmp_path: Path) -> None:
    data = header(kind, content) + pack_tar({"file": b"content"})
    assert "header is" not in (said := refused(data, tmp_path))
    assert "too large" in said


def test_the_longest_header_that_is_parsed(tmp_path: Path) -> None:
    long = record("comment", "x" * (MAX_HEADER_BYTES - 100))
    assert unpacked(header(tarfile.XHDTYPE, long) + pack_tar({"file": b"1"}), tmp_path) == {"file": b"1"}


def test_records_for_all_files_do_not_pile_up(tmp_path: Path) -> None:
    data = b"".join(
        header(tarfile.XGLTYPE, record(f"name{number}", "x")) + pack_tar({f"file{number}": b""})[:512]
        for number in range(MAX_GLOBAL_RECORDS + 1)
    )
    assert "PAX records" in refused(data + bytes(1024), tmp_path)


SPARSE_PAX = {
    "0.0": record("GNU.sparse.size", "9") + record("GNU.sparse.numblocks", "1") + record("GNU.sparse.offset", "0"),
    "0.1": record("GNU.sparse.size", "9") + record("GNU.sparse.map", "0,9"),
    "1.0": record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.realsize", "9"),
}


@pytest.mark.parametrize("version", SPARSE_PAX)
def test_a_sparse_file_is_refused_whose_map_has_no_end(version: str, tmp_path: Path) -> None:
    data = header(tarfile.XHDTYPE, SPARSE_PAX[version]) + pack_tar({"file": b"99999999\n" * 100})
    assert "sparse" in refused(data, tmp_path)


def test_an_old_sparse_file_is_refused(tmp_path: Path) -> None:
    assert "sparse" in refused(header(tarfile.GNUTYPE_SPARSE, bytes(512), "file") + bytes(1024), tmp_path)


def test_xz_may_not_ask_for_gigabytes(tmp_path: Path) -> None:
    data = bytearray(pack(".tar.xz", FILES))
    start, length = 12, (data[12] + 1) * 4  # of the block header, behind that of the stream
    assert data[start + 2 : start + 4] == b"\x21\x01"  # LZMA2, and its one byte of properties
    data[start + 4] = 40  # a dictionary of 4 GiB
    data[start + length - 4 : start + length] = struct.pack("<I", zlib.crc32(data[start : start + length - 4]))
    assert "emory" in refused(bytes(data), tmp_path)


@pytest.mark.parametrize("padding", [b"", bytes(4), bytes(20_000)])
def test_xz_of_several_streams_is_read(padding: bytes, tmp_path: Path) -> None:
    plain = pack_tar(FILES)
    data = padding.join([lzma.compress(plain[:700]), lzma.compress(plain[700:]), b""])
    assert unpacked(data, tmp_path) == FILES


def test_xz_at_its_highest_level_is_read(tmp_path: Path) -> None:
    assert unpacked(lzma.compress(pack_tar(FILES), preset=9), tmp_path) == FILES


def test_what_a_defect_of_the_library_would_raise_is_still_an_invalid_archive(tmp_path: Path) -> None:
    """No text of a tar's numbers is a defect of ours."""
    for number, field in enumerate([b"-1", b"9" * 5000, b"1e999", b"x"]):
        (folder := tmp_path / str(number)).mkdir()
        data = header(tarfile.XHDTYPE, record("size", field.decode())) + pack_tar({"file": b"content"})
        refused(data, folder, Reason.ARCHIVE_INVALID)
