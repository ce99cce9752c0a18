"""What the rules get: the engine that `--engine` names, loaded."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import EntryPoint

import pytest

from ttsworker.engines import Engine, EngineOptions, EngineUnavailable, find_engine

HANG_SECONDS = 600
"""After that a rule fails: the engine hangs. Loading a large model and speaking a long sentence may take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bound the time of every rule."""
    for item in items:
        item.add_marker(pytest.mark.timeout(HANG_SECONDS))


@pytest.fixture(scope="session")
def engine_class(pytestconfig: pytest.Config) -> type[Engine]:
    """Return the class that `--engine` names."""
    name: str | None = pytestconfig.getoption("--engine")
    if not name:
        pytest.exit("name the engine: --engine my.module:Engine", returncode=pytest.ExitCode.USAGE_ERROR)
    try:
        found: type[Engine] = EntryPoint(name, name, "").load() if ":" in name else find_engine(name)
    except (ImportError, AttributeError, EngineUnavailable) as error:
        pytest.exit(f"--engine {name}: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
    return found


@pytest.fixture(scope="session")
def options(pytestconfig: pytest.Config) -> EngineOptions:
    """Return what every engine of the suite gets, where a rule does not say otherwise."""
    return EngineOptions(pytestconfig.getoption("--model-dir"), pytestconfig.getoption("--threads"))


@pytest.fixture(scope="module")
def engine(engine_class: type[Engine], options: EngineOptions) -> Iterator[Engine]:
    """Return an engine that the rules of one module share, as requests do."""
    made = engine_class(options)
    made.load()
    yield made
    made.close()


@pytest.fixture
def load(engine_class: type[Engine], options: EngineOptions) -> Iterator[Callable[[], Engine]]:
    """Return what loads one more engine, and close it after the test."""
    with ExitStack() as stack:

        def load_another() -> Engine:
            made = engine_class(options)
            made.load()
            stack.callback(made.close)
            return made

        yield load_another
