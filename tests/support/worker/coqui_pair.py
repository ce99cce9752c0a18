"""The real tts-server and our worker, each in a process of its own, on the same checkpoint of random weights."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.worker.serving import PATIENCE_SECONDS, worker_process
from ttsworker.models.store import build_manifest, write_manifest

SPEAKERS = ("anna", "ben", "carl")

MODELS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "single": ((), ()),
    "several": (SPEAKERS, ()),
    "polyglot": (SPEAKERS, ("de", "en")),
}
"""Speakers and languages of each."""


@dataclass(frozen=True)
class Pair:
    model: str
    folder: Path
    theirs: httpx.Client
    ours: httpx.Client


@contextmanager
def serving_pair(model: str, folder: Path) -> Iterator[Pair]:
    """Start both with one thread each, so that torch's sums agree to the last bit."""
    from tests.support.worker import tiny_vits  # noqa: PLC0415 - imports torch, which takes seconds

    published = folder / "published"
    tiny_vits.write(published, *MODELS[model])
    write_manifest(published, build_manifest(published, source="https://example.org/vits.tar"))
    environment = {
        "TTSWORKER_ENGINE": "coqui",
        "TTSWORKER_MODEL_DIR": str(published),
        "TTSWORKER_THREADS": "1",
        "TTSWORKER_RATE_LIMIT_PER_SECOND": "0",
    }
    with worker_process(environment) as worker, tts_server(published, folder) as port:  # they start side by side
        worker.wait_for("ready")
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as theirs,
            httpx.Client(base_url=worker.url, timeout=PATIENCE_SECONDS) as ours,
        ):
            yield Pair(model, published, theirs, ours)
        assert worker.terminate() == 0


@contextmanager
def tts_server(published: Path, folder: Path) -> Iterator[int]:
    """Run tts-server on a published checkpoint and yield its port; its output is in the folder."""
    config = folder / "config.json"
    # tts-server opens speakers.pth by the path that the configuration has, and nowhere else.
    config.write_text((published / "config.json").read_text().replace("/train/here/", f"{published}/"))
    program = Path(__file__).with_name("seeded_tts_server.py")
    arguments: list[str | Path] = ["--model_path", published / "model_file.pth", "--config_path", config]
    with (folder / "output").open("w") as output:  # not a pipe: it writes much, and would wait for a reader
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", program, *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _port(process, folder / "output")
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], output: Path) -> int:
    """Return the port once it listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"^listening on (\d+)\n", output.read_text(), re.MULTILINE):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"tts-server does not listen: {output.read_text()[-2000:]}")
