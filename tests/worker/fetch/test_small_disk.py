"""The download program on a disk that is too small, or read-only."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.badserver import BadServer, serving
from tests.support.worker.fetch_program import PATIENCE_SECONDS, Job, paused, wait_for_part
from tests.support.worker.fetching import BODY, KEY
from ttsworker.models.store import verify_model


@pytest.fixture
def small_disk(volume: Path) -> Iterator[Path]:
    """A filesystem of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small filesystem")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(volume)], check=True)
    try:
        yield volume
    finally:
        subprocess.run(["umount", str(volume)], check=True)


def test_a_file_larger_than_the_disk_is_refused_before_it_is_downloaded(small_disk: Path) -> None:
    with serving(BadServer(bytes(50_000_000))) as server:
        code, ending = Job(server, small_disk).wait()
    assert (code, ending["reason"]) == (1, "DiskFull")
    assert "spec.storage.size" in ending["message"]
    assert server.sent < 50_000_000


def test_a_disk_that_fills_up_keeps_the_part_and_continues_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(300_000))
    with serving(BadServer(BODY)) as server:
        begun, gate = paused(server, 100_000)
        job = Job(server, small_disk)
        assert begun.wait(PATIENCE_SECONDS)
        wait_for_part(small_disk, 90_000)
        with filler.open("ab") as file:
            file.write(bytes(400_000))
        gate.set()
        code, ending = job.wait()
        assert (code, ending["reason"]) == (1, "DiskFull")
        assert not (small_disk / KEY).exists()
        filler.unlink()
        assert Job(server, small_disk).wait()[0] == 0
        assert "Range" in server.requests[1]
    verify_model(small_disk / KEY)


def test_an_archive_that_does_not_fit_unpacked_keeps_its_download_alone(small_disk: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        info = tarfile.TarInfo("zeros")
        info.size = 2_000_000
        file.addfile(info, io.BytesIO(bytes(info.size)))
    with serving(BadServer(buffer.getvalue())) as server:
        code, ending = Job(server, small_disk, name="model.tar.gz").wait()
    assert (code, ending["reason"]) == (1, "DiskFull")
    assert sorted(path.name for path in (small_disk / ".partial" / KEY).iterdir()) == ["download", "download.json"]


def test_another_models_part_gives_way_unless_it_is_being_worked_on(small_disk: Path) -> None:
    with serving(BadServer(BODY)) as server, serving(BadServer(bytes(700_000))) as other:
        begun, gate = paused(other, 300_000)
        busy = Job(other, small_disk, "--key", "m-other", name="other.onnx")
        assert begun.wait(PATIENCE_SECONDS)
        wait_for_part(small_disk, 290_000, "m-other")
        filler = small_disk / "filler"
        filler.write_bytes(bytes(300_000))
        assert Job(server, small_disk).wait()[1]["reason"] == "DiskFull"
        busy.process.kill()
        busy.wait()
        gate.set()
        assert Job(server, small_disk).wait()[1]["reason"] == "Published"
    assert not (small_disk / ".partial" / "m-other").exists()


def test_a_read_only_volume_is_unusable(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with serving(BadServer(BODY)) as server:
        code, ending = Job(server, small_disk).wait()
    assert (code, ending["reason"]) == (1, "StorageUnusable")
    assert "writable" in ending["message"]
