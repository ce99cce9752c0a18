"""The file of keys of these tests."""

from pathlib import Path

import pytest


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(
        "alice alices-key-for-tests\nbob bobs-key-for-tests rate=0.001 burst=2\ncarol carols-key-for-tests rate=0\n"
    )
    return path
