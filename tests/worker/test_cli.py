"""The command line as people use it: the real program, its files, its exit codes and its two outputs."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.command_line import ttsworker
from tests.support.worker.serving import PATIENCE_SECONDS
from ttsworker.cli.output import open_output
from ttsworker.cli.progress import Progress
from ttsworker.settings import Settings


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
        (["hello", "--engine", "espeak"], 1, "the engines are coqui, hibari, onnx"),
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
