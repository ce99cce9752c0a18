"""Servers of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.valkey import Valkey, running_valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running_valkey(tmp_path) as server:
        yield server
