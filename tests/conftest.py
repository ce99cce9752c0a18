"""What holds for every test."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings, strategies

REQUIRE_CLUSTER = "TTS_REQUIRE_CLUSTER"
"""Set by `make test`: a test that needs a cluster and is skipped then fails, for it has shown nothing."""


settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
"""No example has a deadline: how long one takes says how busy the machine is, and not whether the code is right."""


def pytest_collection() -> None:
    """Import what hypothesis otherwise imports in the midst of an example, where the recursion limit is raised.

    pytest parses its modules, to rewrite them, and there Python 3.11 sometimes fails at that with "AST constructor
    recursion depth mismatch".
    """
    strategies.from_regex("").validate()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skipped cluster test a failed one where a cluster is required."""
    report = yield
    needs_cluster = item.get_closest_marker("cluster") or item.get_closest_marker("devcluster")
    if report.skipped and needs_cluster and os.environ.get(REQUIRE_CLUSTER):
        report.outcome = "failed"
        report.longrepr = f"skipped, but {REQUIRE_CLUSTER} is set: {report.longrepr}"
    return report
