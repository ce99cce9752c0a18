"""hack/test's phases in the background: how long they took, and that they end with the block."""

import signal
import sys
import time
from pathlib import Path

import pytest

import testing
from testing import Report, background

IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
WAITS = "import time; print('here', flush=True); time.sleep(600)"


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "ROOT", tmp_path)
    monkeypatch.setattr(testing, "LOGS", tmp_path)


@pytest.mark.parametrize(("status", "end"), [(0, "passed"), (3, "FAILED, see a-phase.log")])
def test_a_phase_takes_the_time_until_it_ended_whenever_it_is_collected(status: int, end: str) -> None:
    report = Report()
    with background("a phase", [sys.executable, "-c", f"import sys; sys.exit({status})"]) as phase:
        assert phase.finish(report) == (status == 0)
        assert phase.finish(report) == (status == 0)
    first, second = report.rows
    assert first == second
    assert (first[0], first[2]) == ("a phase", end)
    assert first[1] > 0


@pytest.mark.parametrize(("code", "number"), [("", signal.SIGTERM), (IGNORES_SIGTERM, signal.SIGKILL)])
def test_a_phase_ends_with_the_block_also_when_it_ignores_sigterm(
    code: str, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with background("a phase", [sys.executable, "-c", code + WAITS]) as phase:
        while "here" not in phase.log.read_text():
            time.sleep(0.01)
        if number is signal.SIGKILL:
            monkeypatch.setattr(testing, "END_SECONDS", 1)
    assert not phase.finish(Report())
    assert phase.process.returncode == -number
