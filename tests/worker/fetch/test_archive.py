"""Untrusted archives: valid ones unpack to the same tree, malicious ones write nothing outside."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.badserver import BadServer, serving
from tests.support.worker.archives import FILES, TAR_MODES, pack, pack_tar, pack_zip, refused, unpacked
from ttscontract.reasons import Reason
from ttsworker.fetch import archive
from ttsworker.fetch.archive import is_archive, unpack
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.sources import Request


@pytest.mark.parametrize("suffix", [*TAR_MODES, ".zip"])
@pytest.mark.parametrize("top", ["", "./", "model-1.0/", "./model-1.0/"])
def test_every_format_gives_the_same_tree_without_its_top_folder(suffix: str, top: str, tmp_path: Path) -> None:
    assert is_archive("model" + suffix)
    assert unpacked(pack(suffix, {top + name: content for name, content in FILES.items()}), tmp_path) == FILES


def test_a_folder_of_the_same_name_inside_the_top_folder_survives(tmp_path: Path) -> None:
    assert unpacked(pack_tar({"model/model/a": b"a"}), tmp_path) == {"model/a": b"a"}


@pytest.mark.parametrize("name", ["model.pth", "voice.npz", "voice.onnx", "gz", "tar"])
def test_files_that_are_archives_inside_stay_files(name: str) -> None:
    assert not is_archive(name)


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    files = {"config.json": b"{}", "model.pth": pack_zip({"data.pkl": b"weights"})}
    assert unpacked(pack_tar(files), tmp_path) == files


def test_our_own_manifest_is_left_out_and_a_deeper_one_kept(tmp_path: Path) -> None:
    assert unpacked(pack_tar({"m/.manifest.json": b"{}", "m/a": b"a", "m/b/.manifest.json": b"{}"}), tmp_path) == {
        "a": b"a",
        "b/.manifest.json": b"{}",
    }


EVIL = [
    "/etc/evil",
    "../evil",
    "a/../../evil",
    "a/../b",
    "..",
    "a\\..\\..\\evil",
    "C:\\evil",
    "a\nb",
    "a\x1b[31m",
    "a/" * 3000 + "b",
    "x" * 300,
]


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_a_name_that_leads_out_or_surprises_is_refused(name: str, suffix: str, tmp_path: Path) -> None:
    refused(pack(suffix, {"good": b"good", name: b"evil"}), tmp_path)


PARTS = st.sampled_from(["..", ".", "", "a", "b", "/", "~", "a" * 260, "\\", "\0", "\udcff", "é", "-", "C:"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    names=st.lists(st.lists(PARTS, min_size=1, max_size=5).map("/".join), min_size=1, max_size=5), links=st.booleans()
)
def test_no_name_writes_outside_and_what_is_made_is_plain_files(
    names: list[str], tmp_path_factory: pytest.TempPathFactory, *, links: bool
) -> None:
    folder = tmp_path_factory.mktemp("evil")

    def change(info: tarfile.TarInfo) -> None:
        if links and len(info.name) % 2:
            info.type, info.linkname, info.size = tarfile.SYMTYPE, info.name[::-1], 0

    (folder / "download").write_bytes(pack_tar(dict.fromkeys(names, b"evil"), change=change))
    try:
        unpack(folder / "download", folder / "tree")
    except FetchError as error:
        assert error.reason is Reason.ARCHIVE_INVALID  # noqa: PT017 - either ending is right
    assert {path.name for path in folder.iterdir()} <= {"download", "tree"}
    for path in (folder / "tree").rglob("*"):
        assert not path.is_symlink()
        assert path.is_file() or path.is_dir()


def linked(kind: bytes, name: str, target: str) -> bytes:
    def change(info: tarfile.TarInfo) -> None:
        if info.name == name:
            info.type, info.linkname, info.size = kind, target, 0

    return pack_tar({"m/real/file": b"content", name: b""}, change=change)


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        (tarfile.SYMTYPE, "m/link", "real/file"),
        (tarfile.SYMTYPE, "m/a/b/link", "../../real/file"),
        (tarfile.LNKTYPE, "m/link", "m/real/file"),
    ],
)
def test_a_link_to_a_file_of_the_archive_becomes_a_copy(kind: bytes, name: str, target: str, tmp_path: Path) -> None:
    tree = unpacked(linked(kind, name, target), tmp_path)
    assert tree == {"real/file": b"content", name.removeprefix("m/"): b"content"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "../../etc/passwd"),
        (tarfile.SYMTYPE, "real"),
        (tarfile.SYMTYPE, "absent"),
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "../etc/passwd"),
        (tarfile.LNKTYPE, "m/absent"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_out_to_folders_or_nowhere_and_devices_are_refused(kind: bytes, target: str, tmp_path: Path) -> None:
    refused(linked(kind, "m/link", target), tmp_path)


def test_a_link_in_a_zip_is_followed_inside_and_refused_outside(tmp_path: Path) -> None:
    def with_link(target: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("real", b"content")
            info = zipfile.ZipInfo("link")
            info.external_attr = 0o120777 << 16
            file.writestr(info, target)
        return buffer.getvalue()

    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    assert unpacked(with_link("real"), tmp_path / "in") == {"real": b"content", "link": b"content"}
    refused(with_link("/etc/passwd"), tmp_path / "out")


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_content_beyond_the_limit_is_refused_before_it_is_written(suffix: str, tmp_path: Path) -> None:
    assert "1000 bytes" in refused(
        pack(suffix, {"bomb": bytes(10_000_000)}), tmp_path, Reason.DISK_FULL, max_bytes=1000
    )
    assert (tmp_path / "tree" / "bomb").stat().st_size <= 1000


def test_links_count_against_the_limit(tmp_path: Path) -> None:
    refused(linked(tarfile.SYMTYPE, "m/link", "real/file"), tmp_path, Reason.DISK_FULL, max_bytes=10)


def test_what_follows_the_end_counts_against_the_limit(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        file.write(pack_tar({"a": b"a"}))
        for _ in range(12):
            file.write(bytes(10_000_000))
    refused(bomb.getvalue(), tmp_path, Reason.DISK_FULL, max_bytes=1000)


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 5)
    for number, suffix in enumerate([".tar", ".zip"]):
        (tmp_path / str(number)).mkdir()
        many = {f"file-{entry}": b"" for entry in range(6)}
        assert "5 entries" in refused(pack(suffix, many), tmp_path / str(number))
        (tmp_path / f"{number}-few").mkdir()
        unpacked(pack(suffix, dict(list(many.items())[:5])), tmp_path / f"{number}-few")


def test_a_header_that_claims_gigabytes_is_refused_without_reading_them(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    assert "header" in refused(info.tobuf() + bytes(4096), tmp_path)


def test_a_header_with_a_negative_size_is_refused(tmp_path: Path) -> None:
    header = bytearray(tarfile.TarInfo("file").tobuf())
    header[124:136] = b"\xff" * 4 + struct.pack(">q", -2048)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
    data = pack_tar({"first": b"1" * 2000})[:2560] + bytes(header) + bytes(2048)
    assert "backwards" in refused(data, tmp_path)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.7])
def test_an_archive_cut_short_is_refused(suffix: str, share: float, tmp_path: Path) -> None:
    data = pack(suffix, FILES)
    end = len(data) if suffix != ".tar" else 512 * 19  # a tar is padded with zeros at its end
    refused(data[: int(end * share)], tmp_path)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip"])
def test_a_damaged_archive_is_refused(suffix: str, tmp_path: Path) -> None:
    data = bytearray(pack(suffix, {f"file-{number}": bytes([number]) * 700 for number in range(20)}))
    place = 1536 * 5 + 20 if suffix == ".tar" else len(data) // 2  # in a tar, its headers alone are protected
    data[place : place + 8] = b"\xa5" * 8
    refused(bytes(data), tmp_path)


@pytest.mark.parametrize("data", [b"", b"no archive at all" * 100, b"PK\x03\x04", b"\x1f\x8b", bytes(10240)])
def test_what_is_no_archive_or_an_empty_one_is_refused(data: bytes, tmp_path: Path) -> None:
    refused(data, tmp_path)


@pytest.mark.parametrize("names", [["a", "a"], ["a", "a/b"], ["a/b", "a"]])
def test_a_name_used_twice_is_refused(names: list[str], tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name in names:
            file.addfile(tarfile.TarInfo(name), io.BytesIO())
    refused(buffer.getvalue(), tmp_path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(pack_zip({"a": b"a"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(data), tmp_path)


def test_the_job_publishes_what_was_in_the_archive(tmp_path: Path) -> None:
    with serving(BadServer(pack_tar({f"m/{name}": content for name, content in FILES.items()}, "w:gz"))) as server:
        request = Request(server.url + "/model.tar.gz?version=2", server.sha256)
        outcome = fetch_model(request, tmp_path, "m-1", Progress())
    assert {file.path: (tmp_path / "m-1" / file.path).read_bytes() for file in outcome.manifest.files} == FILES
    assert not (tmp_path / ".partial" / "m-1").exists()


def test_an_evil_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    root = tmp_path / "models"
    root.mkdir()
    evil = pack_tar({"good": b"good", "../../../evil": b"evil"})
    with serving(BadServer(evil)) as server, pytest.raises(FetchError, match="points outside"):
        fetch_model(Request(server.url + "/model.tar", server.sha256), root, "m-1", Progress())
    assert [path.name for path in tmp_path.iterdir()] == ["models"]
    assert [path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
