"""The download program as the Job runs it: exit codes, lock, gauges, a full disk, and kill -9 at any moment."""

import io
import json
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.badserver import BadServer, cut, serving, status
from tests.support.program import free_port
from tests.support.worker.fetch_program import PATIENCE_SECONDS, Job, paused, size_of_part, wait_for_part, wait_until
from tests.support.worker.fetching import BODY, KEY
from ttsworker.engines import ModelError
from ttsworker.fetch.__main__ import main
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.sources import Request
from ttsworker.models.store import verify_model


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


def test_a_failed_job_is_continued_by_the_next(server: BadServer, volume: Path) -> None:
    server.steps = [cut(250_000), *[status(503)] * 2]
    code, ending = Job(server, volume).wait()
    assert (code, ending["reason"]) == (75, "SourceUnreachable")
    assert Job(server, volume).wait()[0] == 0
    assert server.requests[-1]["Range"] == "bytes=250000-"
    verify_model(volume / KEY)
