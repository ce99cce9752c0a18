"""Programs that users have, each with its own defaults: what it asks is answered by speech of the right words."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.decoding import mono_wav
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests/support/worker/clients"
CLIENTS = sorted(path.name for path in PROGRAMS.glob("with_*"))


@pytest.fixture(scope="module")
def environment() -> Path:
    """The folder of the clients, in versions of their own: several pin what the worker has in another one."""
    subprocess.run([ROOT / "hack/bootstrap", "clients"], check=True)
    return ROOT / ".venv-clients"


def test_there_is_a_client_of_every_kind() -> None:
    assert CLIENTS == [
        "with_home_assistant_openai.py", "with_litellm.py", "with_livekit.py", "with_marytts.py", "with_openai.mjs",
        "with_openai.py", "with_pipecat.py",
    ]  # fmt: skip


@pytest.mark.parametrize(("program", "sentence"), list(zip(CLIENTS, SENTENCES, strict=False)))
def test_a_client_hears_the_right_words(
    program: str, sentence: str, environment: Path, hibari: WorkerProcess, tmp_path: Path
) -> None:
    runner = environment / "bin" / ("node" if program.endswith(".mjs") else "python")
    subprocess.run(
        [runner, PROGRAMS / program, hibari.url, sentence, tmp_path / "speech"],
        env={**os.environ, "NODE_FOLDER": str(environment / "node")},
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert recognise(mono_wav((tmp_path / "speech").read_bytes())) == sentence
