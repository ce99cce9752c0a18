"""What tests of connections and of bodies look at."""

import pytest

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
