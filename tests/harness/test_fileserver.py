"""The pods' file server: whole, by range, cut, slow; and it says in its log what was asked for."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support import fileserver
from tests.support.program import free_port, running

BODY = bytes(range(256)) * 400
PATIENCE_SECONDS = 60.0


def get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=PATIENCE_SECONDS)


def stream(url: str) -> AbstractContextManager[httpx.Response]:
    return httpx.stream("GET", url, timeout=PATIENCE_SECONDS)


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[str, Path]]:
    (folder / "voice.onnx").write_bytes(BODY)
    port, output = free_port(), folder / "log.txt"
    arguments = [fileserver.__file__, "--root", str(folder), "--host", "127.0.0.1", "--port", str(port), *options]
    with running(*arguments, output=output) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                get(f"http://127.0.0.1:{port}/absent")
                break
            except httpx.ConnectError:
                assert process.poll() is None, output.read_text()
                assert time.monotonic() < deadline, "the file server does not listen"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/voice.onnx", output


def test_whole_and_by_range_and_logged(tmp_path: Path) -> None:
    with served(tmp_path) as (url, log):
        whole = get(url)
        rest = get(url, headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
        changed = get(url, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (whole.status_code, whole.content) == (200, BODY)
    assert (rest.status_code, rest.content) == (206, BODY[1000:])
    assert (changed.status_code, changed.content) == (200, BODY)
    assert f"GET /voice.onnx 206 range=bytes=1000- sent={len(BODY) - 1000}" in log.read_text()
    assert f"GET /voice.onnx 200 range=none sent={len(BODY)}" in log.read_text()
    assert "GET /absent 404 range=none" in log.read_text()


def test_only_the_first_file_is_cut(tmp_path: Path) -> None:
    with served(tmp_path, "--cut-after", "70000") as (url, log):
        with stream(url) as response, pytest.raises(httpx.RemoteProtocolError):
            list(response.iter_raw())
        assert get(url).content == BODY
    assert "GET /voice.onnx 200 range=none sent=70000 cut" in log.read_text()


def test_slow_sends_the_whole_file_in_small_pieces(tmp_path: Path) -> None:
    with served(tmp_path, "--slow", "400000") as (url, _), stream(url) as response:
        chunks = list(response.iter_raw())
    assert b"".join(chunks) == BODY
    assert len(chunks) > 1


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with running(fileserver.__file__, "--root", str(tmp_path / "absent"), output=tmp_path / "log.txt") as process:
        assert process.wait(timeout=60) == 2
    assert "is no folder" in (tmp_path / "log.txt").read_text()
