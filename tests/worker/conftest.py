from collections.abc import Iterator

import httpx
import pytest

from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, worker_process


@pytest.fixture(scope="session")
def hibari() -> Iterator[WorkerProcess]:
    """The worker as `make serve` starts it, with its embedded voice."""
    with worker_process() as worker:
        worker.wait_for("ready")
        yield worker


@pytest.fixture
def api(hibari: WorkerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hibari.url, timeout=PATIENCE_SECONDS) as client:
        yield client
