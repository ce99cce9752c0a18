"""`ttsworker fetch` as a person uses it: the folder, the exit codes, the words, a terminal, Ctrl-C and another go."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.badserver import BadServer, status
from tests.support.worker.fetch_program import PATIENCE_SECONDS, paused, wait_for_part
from tests.support.worker.fetching import BODY
from ttscontract.engines import ENGINES
from ttscontract.worker_config import Manager
from ttsworker.cli.fetch import progress_line
from ttsworker.fetch.builtin import FILES
from ttsworker.models.store import verify_model

# As at a terminal: what a shell starts in the background ignores the interrupt.
PROGRAM = ["env", "--default-signal=INT", sys.executable, "-m", "ttsworker", "fetch"]


def fetch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


def test_it_downloads_once_into_the_folder_and_says_so(server: BadServer, volume: Path) -> None:
    folder = volume / "new/voice"
    arguments = [f"{server.url}/voice.onnx", "--to", str(folder), "--sha256", server.sha256.upper()]
    first = fetch(*arguments)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == f"{folder} has the model, 585.9 KiB\n"
    assert (folder / "voice.onnx").read_bytes() == BODY
    assert verify_model(folder, Manager.USER).source == f"{server.url}/voice.onnx"
    assert f"{folder} already has the model" in fetch(*arguments).stdout
    assert len(server.requests) == 1


@pytest.mark.parametrize("source", [engine.builtin for engine in ENGINES if engine.builtin])
def test_every_built_in_model_can_be_fetched(volume: Path, source: str) -> None:
    assert fetch(source, "--to", volume / "voice").returncode == 0
    manifest = verify_model(volume / "voice", Manager.USER)
    assert (manifest.source, manifest.bytes) == (source, FILES[source]().stat().st_size)


def test_another_model_replaces_the_one_that_a_download_put_there(server: BadServer, volume: Path) -> None:
    assert fetch("builtin://hibari", "--to", volume / "voice").returncode == 0
    done = fetch(f"{server.url}/voice.onnx", "--to", volume / "voice", "--sha256", server.sha256)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (volume / "voice").iterdir()} == {"voice.onnx", ".manifest.json"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["{url}/voice.onnx"], 1, "http:// does not protect the download: set --sha256, or use https://"),
        (["{url}/voice.onnx", "--sha256", "0" * 64], 1, ": correct --sha256"),
        (["{url}/gone.onnx", "--sha256", "0" * 64], 1, "gone.onnx answers 404 Not Found: correct SOURCE"),
        (["{url}/busy.onnx", "--sha256", "0" * 64, "--attempts", "1"], 75, "busy.onnx answers 503"),
        (["ftp://host/voice.onnx"], 1, "use one of https://, http://, builtin://"),
        (["voice.onnx"], 1, "is not a supported kind of source"),
        (["https://host/"], 1, "its path must end with a file name"),
        (["https://me:secret@host/a"], 1, "which everybody who reads the model's manifest would see"),
        (["builtin://nobody"], 1, "the worker has no such model: use builtin://hibari"),
        (["builtin://hibari", "--sha256", "0" * 64], 1, "remove --sha256"),
    ],
)
def test_a_failure_is_one_line_for_a_person_without_a_cluster(
    server: BadServer, volume: Path, arguments: list[str], code: int, words: str
) -> None:
    server.steps = [status(404) if "gone" in arguments[0] else status(503)] * ("/voice" not in arguments[0])
    done = fetch(*(word.format(url=server.url) for word in arguments), "--to", volume / "voice")
    assert (done.returncode, done.stdout) == (code, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert not re.search(r"spec\.|Job|TTSService|secret", line)
    assert not (volume / "voice").exists()


@pytest.mark.parametrize("options", [[], ["--to", "v"], ["https://h/a"], ["https://h/a", "--to", "v", "--sha256", "1"]])
def test_a_wrong_command_line_is_misuse(options: list[str]) -> None:
    done = fetch(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: ")


def with_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.odt").write_text("two years of work")


def a_file(folder: Path) -> None:
    folder.write_text("two years of work")


def linked(folder: Path) -> None:
    (elsewhere := folder.with_name("elsewhere")).mkdir()
    (elsewhere / "thesis.odt").write_text("two years of work")
    folder.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("make", "words"),
    [(with_files, "choose a new folder"), (a_file, "it is a file"), (linked, "choose a new folder")],
)
def test_what_no_download_put_there_is_never_replaced(volume: Path, make: Callable[[Path], None], words: str) -> None:
    make(volume / "documents")
    before = sorted((path, path.is_file() and path.read_text()) for path in volume.rglob("*"))
    done = fetch("builtin://hibari", "--to", volume / "documents")
    assert done.returncode == 1
    assert words in done.stderr
    assert sorted((path, path.is_file() and path.read_text()) for path in volume.rglob("*")) == before


@pytest.mark.parametrize(
    ("folder", "words"), [("/proc", "it is a mount: choose a folder in it, such as /proc/voice"), ("/", "dot")]
)
def test_a_folder_that_cannot_be_replaced_is_refused(folder: str, words: str) -> None:
    done = fetch("builtin://hibari", "--to", folder)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_keeps_the_bytes_and_the_same_command_continues(
    server: BadServer, volume: Path, number: signal.Signals
) -> None:
    begun, gate = paused(server, 200_000)
    arguments = [f"{server.url}/voice.onnx", "--to", str(volume / "voice"), "--sha256", server.sha256]
    process = subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE, text=True)
    assert begun.wait(PATIENCE_SECONDS)
    wait_for_part(volume, 200_000, "voice")
    process.send_signal(number)
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    gate.set()
    assert process.returncode == 128 + number
    assert told.splitlines()[-1] == "error: stopped: the same command continues from the bytes downloaded so far"
    assert "Traceback" not in told
    assert not (volume / "voice").exists()
    assert fetch(*arguments).returncode == 0
    assert server.requests[1]["Range"] == "bytes=200000-"
    verify_model(volume / "voice")


def test_a_terminal_shows_how_far_it_is(server: BadServer, volume: Path) -> None:
    begun, gate = paused(server, 300_000)
    arguments = [f"{server.url}/voice.onnx", "--to", str(volume / "voice"), "--sha256", server.sha256]
    ours, theirs = pty.openpty()
    with subprocess.Popen([*PROGRAM, *arguments], stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        assert begun.wait(PATIENCE_SECONDS)
        shown = b""
        while b"\r\x1b[Kdownloading 293.0 KiB of 585.9 KiB (50 %), " not in shown:
            shown += os.read(ours, 1000)
        gate.set()
        while b"has the model, 585.9 KiB" not in shown:
            shown += os.read(ours, 1000)
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    assert b"\n" not in shown.partition(b"downloading")[2].partition(b"has the model")[0]


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        (("verifying", 10, 10, 0), "verifying"),
        (("downloading", 0, None, 0), "downloading"),
        (("downloading", 2048, None, 1024), "downloading 2.0 KiB, 1.0 KiB/s"),
        (("downloading", 2048, 4096, 1024), "downloading 2.0 KiB of 4.0 KiB (50 %), 1.0 KiB/s"),
    ],
)
def test_progress_says_what_is_known(figures: tuple[str, int, int | None, int], line: str) -> None:
    assert progress_line(*figures) == line
