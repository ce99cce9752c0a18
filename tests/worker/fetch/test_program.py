"""The download program as the Job runs it: exit codes, lock, gauges, a full disk, and kill -9 at any moment."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.badserver import Answer, BadServer, cut, serving, status
from tests.support.program import free_port
from ttsworker.engines import ModelError
from ttsworker.fetch.__main__ import main
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.sources import Request
from ttsworker.models.store import verify_model

BODY = random.Random(3).randbytes(600_000)
KEY = "m-0123456789abcdef"
PATIENCE_SECONDS = 120.0
PROGRAM = [sys.executable, "-m", "ttsworker.fetch"]


@pytest.fixture
def server() -> Iterator[BadServer]:
    with serving(BadServer(BODY)) as running:
        yield running


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


class Job:
    """One run of the program: its exit code, its termination message and its log lines."""

    def __init__(self, server: BadServer, volume: Path, *options: str, name: str = "voice.onnx") -> None:
        self._termination = volume.parent / f"termination-{os.urandom(4).hex()}"
        self._termination.touch()
        self._log = self._termination.with_suffix(".log")
        arguments = {
            "--source": f"{server.url}/{name}",
            "--sha256": server.sha256,
            "--root": str(volume),
            "--key": KEY,
            "--metrics-port": "0",
            "--attempts": "2",
            "--backoff-seconds": "0.01",
            "--termination-log": str(self._termination),
        } | dict(zip(options[::2], options[1::2], strict=True))
        words = [word for pair in arguments.items() for word in pair]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen([*PROGRAM, *words], stderr=log, stdout=log)

    def wait(self) -> tuple[int, dict[str, Any]]:
        code = self.process.wait(timeout=PATIENCE_SECONDS)
        lines = self.log_lines()
        assert all({"timestamp", "level", "message"} <= line.keys() for line in lines)
        text = self._termination.read_text()
        return code, json.loads(text) if text else {}

    def log_lines(self) -> list[dict[str, Any]]:
        complete = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines()]


def paused(server: BadServer, after: int) -> tuple[threading.Event, threading.Event]:
    """Let the next answer stop after some bytes; returns the event it has begun by and the one that lets it go on."""
    begun, gate = threading.Event(), threading.Event()

    def step(answer: Answer) -> None:
        answer.pause, answer.pause_after = gate, after
        begun.set()

    server.steps.append(step)
    return begun, gate


def wait_until(condition: Callable[[], bool], job: Job | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert job is None or job.process.poll() is None, "the program has ended"
        assert time.monotonic() < deadline, "the program did not get that far"
        time.sleep(0.01)


def size_of_part(volume: Path, key: str = KEY) -> int:
    part = volume / ".partial" / key / "download"
    return part.stat().st_size if part.exists() else 0


def wait_for_part(volume: Path, count: int, key: str = KEY) -> None:
    wait_until(lambda: size_of_part(volume, key) >= count)


def test_it_downloads_once_and_then_says_so(server: BadServer, volume: Path) -> None:
    code, first = Job(server, volume).wait()
    assert (code, first["reason"], first["bytes"]) == (0, "Published", len(BODY))
    code, second = Job(server, volume).wait()
    assert (code, second) == (0, first | {"reason": "AlreadyPresent"})
    assert first["digest"] == verify_model(volume / KEY).digest
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (["--source", "file:///etc/passwd"], 1, "SourceInvalid"),
        (["--sha256", "0" * 64], 1, "ChecksumMismatch"),
        (["--source", "http://127.0.0.1:1/voice.onnx"], 75, "SourceUnreachable"),
        (["--root", "/proc/models"], 1, "StorageUnusable"),
        (["--key", "../evil"], 1, "SourceInvalid"),
    ],
)
def test_a_failure_is_one_line_with_its_reason_and_exit_code(
    server: BadServer, volume: Path, options: list[str], code: int, reason: str
) -> None:
    job = Job(server, volume, *options)
    ended, ending = job.wait()
    assert (ended, ending["reason"]) == (code, reason)
    assert ending["message"]
    assert "\n" not in ending["message"]
    assert len(json.dumps(ending)) < 4096
    assert not any("exception" in line for line in job.log_lines())
    assert job.log_lines()[-1] == job.log_lines()[-1] | {"reason": reason, "level": "ERROR"}


@pytest.mark.parametrize("options", [["--sha256", "abc"], ["--max-bytes", "0"], ["--nonsense"], []])
def test_misuse_is_told_in_one_line(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--source", "https://host/voice.onnx", "--root", "/models", *options])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err.splitlines()[-1]


def test_told_to_stop_it_keeps_its_part_and_the_next_run_continues(server: BadServer, volume: Path) -> None:
    begun, gate = paused(server, 200_000)
    job = Job(server, volume)
    assert begun.wait(PATIENCE_SECONDS)
    wait_for_part(volume, 200_000)
    job.process.send_signal(signal.SIGTERM)
    code, ending = job.wait()
    gate.set()
    assert (code, ending["reason"]) == (143, "Interrupted")
    assert Job(server, volume).wait()[0] == 0
    assert server.requests[1]["Range"] == "bytes=200000-"
    verify_model(volume / KEY)


def test_two_at_once_download_once(server: BadServer, volume: Path) -> None:
    begun, gate = paused(server, 200_000)
    first = Job(server, volume)
    assert begun.wait(PATIENCE_SECONDS)
    second = Job(server, volume)
    wait_until(lambda: any("waiting for it" in line["message"] for line in second.log_lines()), second)
    gate.set()
    assert [first.wait()[1]["reason"], second.wait()[1]["reason"]] == ["Published", "AlreadyPresent"]
    assert len(server.requests) == 1


def test_the_gauges_and_the_log_tell_how_far_it_is(server: BadServer, volume: Path) -> None:
    begun, gate = paused(server, 200_000)
    port = free_port()
    job = Job(server, volume, "--metrics-port", str(port))
    assert begun.wait(PATIENCE_SECONDS)

    def gauges() -> dict[str, float]:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS).text
        return {family.name: family.samples[0].value for family in text_string_to_metric_families(text)}

    def line() -> dict[str, Any]:
        return job.log_lines()[-1]

    wait_until(lambda: gauges()["tts_model_download_bytes"] >= 200_000, job)
    wait_until(lambda: bool(job.log_lines()) and line()["message"] == "downloading" and line()["bytes"] >= 200_000, job)
    shown, told = gauges(), line()
    gate.set()
    assert job.wait()[0] == 0
    assert shown == {"tts_model_download_bytes": 200_000, "tts_model_download_total_bytes": len(BODY)}
    assert (told["bytes"], told["total_bytes"]) == (200_000, len(BODY))
    assert told["bytes_per_second"] >= 0


def test_killed_in_the_middle_of_the_body_again_and_again_it_still_arrives(server: BadServer, volume: Path) -> None:
    gates = []
    for _ in range(3):
        begun, gate = paused(server, 150_000)
        gates.append(gate)
        had = size_of_part(volume)
        job = Job(server, volume)
        assert begun.wait(PATIENCE_SECONDS)
        wait_for_part(volume, had + 150_000 - 10_000)  # what a kill may lose is in the program's write buffer
        job.process.kill()
        job.wait()
        assert not (volume / KEY).exists()
    for gate in gates:
        gate.set()
    assert Job(server, volume).wait()[0] == 0
    verify_model(volume / KEY)
    assert sum("Range" in request for request in server.requests) == 3


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name in ("m/model.pth", "m/config.json"):
            info = tarfile.TarInfo(name)
            info.size = 1000
            file.addfile(info, io.BytesIO(name.encode().ljust(1000)))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "before"), [("voice.onnx", "nothing"), ("model.tar.gz", "a damaged model")])
def test_killed_at_any_change_of_the_volume_no_half_model_is_seen_and_the_next_run_mends_it(
    tmp_path: Path, before: str, name: str
) -> None:
    volumes = tmp_path / "volumes"
    for number in range(1, 101):  # more than there are points to be killed at
        model = volumes / str(number) / KEY
        model.mkdir(parents=True)
        if before == "nothing":
            model.rmdir()
        else:
            (model / ".manifest.json").write_text("damaged")
    with serving(BadServer(BODY if name == "voice.onnx" else archive())) as server:
        options = ["--source", f"{server.url}/{name}", "--sha256", server.sha256, "--key", KEY, "--metrics-port", "0"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.killpoints", str(volumes), *options],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        killed = [path for path in volumes.iterdir() if (path / ".partial").exists()]
        assert len(killed) >= 10
        request = Request(f"{server.url}/{name}", server.sha256)
        for volume in killed:
            published = _published(volume / KEY)
            assert published in {before, "the model"}
            outcome = fetch_model(request, volume, KEY, Progress())
            assert outcome.reason == ("AlreadyPresent" if published == "the model" else "Published")
            assert _published(volume / KEY) == "the model"
            assert [path.name for path in (volume / ".partial").iterdir()] == [f"{KEY}.lock"]


def _published(folder: Path) -> str:
    if not folder.exists():
        return "nothing"
    try:
        verify_model(folder)
    except ModelError:
        return "a damaged model" if (folder / ".manifest.json").read_text() == "damaged" else "a half model"
    return "the model"


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


def test_a_failed_job_is_continued_by_the_next(server: BadServer, volume: Path) -> None:
    server.steps = [cut(250_000), *[status(503)] * 2]
    code, ending = Job(server, volume).wait()
    assert (code, ending["reason"]) == (75, "SourceUnreachable")
    assert Job(server, volume).wait()[0] == 0
    assert server.requests[-1]["Range"] == "bytes=250000-"
    verify_model(volume / KEY)
