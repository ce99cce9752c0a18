"""The examples of docs/worker.md, run as a new user would run them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.support.worker.serving import WorkerProcess, worker_process

GUIDE = Path("docs/worker.md").read_text()
ADDRESS = "http://localhost:5002"


@pytest.fixture(scope="module")
def worker() -> Iterator[WorkerProcess]:
    with worker_process() as worker:
        worker.wait_for("ready")
        yield worker


def examples(language: str, word: str) -> str:
    """Return the guide's one block of this language that has this word in it."""
    block: str
    [block] = [block for block in re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL) if word in block]
    return block


def test_the_commands_write_files_that_can_be_played(worker: WorkerProcess, tmp_path: Path) -> None:
    commands = examples("sh", "curl").replace(ADDRESS, worker.url)
    subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, check=True, capture_output=True)
    for name in ("hello.mp3", "hello.wav"):
        samples, rate = soundfile.read(tmp_path / name)
        assert len(samples) > rate
        assert abs(samples).max() > 0.1


def test_the_program_plays_what_it_hears(worker: WorkerProcess, tmp_path: Path) -> None:
    program = examples("python", "OpenAI").replace(ADDRESS, worker.url)
    player = tmp_path / "ffplay"  # stands for the loudspeaker
    player.write_text(f"#!/bin/sh\ncat >{tmp_path}/heard\n")
    player.chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([sys.executable, "-c", program], env=path, check=True, capture_output=True)
    assert (tmp_path / "heard").stat().st_size > 2 * 24_000 * 2


def test_say_and_check_do_what_they_say(tmp_path: Path) -> None:
    commands = examples("sh", "ttsworker say")
    free_ports = {"TTSWORKER_PORT": "0", "TTSWORKER_METRICS_PORT": "0"}  # another program may use the usual ones
    environment = {**os.environ, **free_ports, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    answer = subprocess.run(
        ["sh", "-e", "-c", commands], env=environment, cwd=tmp_path, check=True, capture_output=True
    )
    assert b"OK" in answer.stdout
    assert soundfile.info(tmp_path / "hello.wav").duration > 1
