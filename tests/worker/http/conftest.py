"""What several of these tests look at, and a file of keys."""

from pathlib import Path

import pytest

from tests.support.worker.manual_clock import ManualClock
from ttsworker.http.connection import Connection


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Return what the server has read and parsed so far."""
    pieces = bytearray()
    parse = Connection.data_received

    def note(connection: Connection, data: bytes) -> None:
        parse(connection, data)
        pieces.extend(data)

    monkeypatch.setattr(Connection, "data_received", note)
    return pieces


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("alice alices-key-for-tests\n")
    return path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
