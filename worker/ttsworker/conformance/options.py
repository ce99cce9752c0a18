"""The options of the suite: a plugin, because pytest reads its arguments before an installed package's conftest.py."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("ttsworker.conformance", "conformance of an engine")
    group.addoption("--engine", metavar="MODULE:CLASS", help="the engine's class, or its name if it is registered")
    group.addoption("--model-dir", type=Path, help="folder of its model; without it the embedded voice speaks")
    group.addoption("--threads", type=int, default=2, help="CPUs that the engine may use (2)")
