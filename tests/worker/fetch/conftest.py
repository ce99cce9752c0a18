"""A bad server, the download from it, and a volume for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.badserver import BadServer, serving
from tests.support.worker.fetching import BODY, KEY, Fetch
from ttsworker.fetch.job import Outcome, fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.sources import Request


@pytest.fixture
def server() -> Iterator[BadServer]:
    with serving(BadServer(BODY)) as running:
        yield running


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    def run(server: BadServer, *, path: str = "/voice.onnx", checked: bool = True, **options: object) -> Outcome:
        request = {"source": server.url + path, "sha256": server.sha256 if checked else None, "attempts": 3}
        return fetch_model(
            Request(**(request | {"backoff_seconds": 0.01} | options)),  # type: ignore[arg-type]
            tmp_path,
            KEY,
            Progress(),
        )

    return run


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder
