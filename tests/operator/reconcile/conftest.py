"""The world of these tests."""

import pytest

from tests.support.operator.passes import World


@pytest.fixture
def world() -> World:
    return World()
