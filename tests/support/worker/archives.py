"""Archives for the tests of unpacking, and what comes of them."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ttscontract.reasons import Reason
from ttsworker.fetch.archive import unpack
from ttsworker.fetch.errors import FetchError

FILES = {"model.pth": b"weights" * 1000, "config.json": b"{}", "voices/a.bin": b"a" * 512, "voices/empty": b""}
TAR_MODES = {".tar": "w", ".tar.gz": "w:gz", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}


def pack_tar(
    files: Mapping[str, bytes], mode: str = "w", change: Callable[[tarfile.TarInfo], None] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change:
                change(info)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pack_zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def unpacked(data: bytes, folder: Path, max_bytes: int | None = None) -> dict[str, bytes]:
    (folder / "download").write_bytes(data)
    unpack(folder / "download", folder / "tree", max_bytes=max_bytes)
    return {
        path.relative_to(folder / "tree").as_posix(): path.read_bytes()
        for path in (folder / "tree").rglob("*")
        if path.is_file()
    }


def refused(data: bytes, folder: Path, reason: Reason = Reason.ARCHIVE_INVALID, max_bytes: int | None = None) -> str:
    with pytest.raises(FetchError) as caught:
        unpacked(data, folder, max_bytes)
    assert caught.value.reason is reason
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == ["download", "tree"]
    return str(caught.value)


def pack(suffix: str, files: Mapping[str, bytes]) -> bytes:
    return pack_zip(files) if suffix == ".zip" else pack_tar(files, TAR_MODES[suffix])
