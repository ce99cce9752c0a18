"""The phases that hack/test runs in the background."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

HACK = Path(__file__).parents[2] / "hack"


@pytest.fixture
def testing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(HACK)
    module = importlib.import_module("testing")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOGS", tmp_path / "logs")
    return module


@pytest.mark.parametrize(("program", "passed"), [("echo well", True), ("echo badly; exit 3", False)])
def test_the_report_says_how_a_phase_ended(testing: ModuleType, program: str, *, passed: bool) -> None:
    report = testing.Report()
    with testing.background("the phase", ["sh", "-c", program]) as phase:
        assert phase.finish(report) is passed
    [(name, _, end)] = report.rows
    assert (name, end == "passed") == ("the phase", passed)
    assert report.show() == (0 if passed else 1)


def test_what_does_not_end_is_killed(testing: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "END_SECONDS", 0.5)
    with testing.background("stubborn", ["sh", "-c", "trap '' TERM; echo on; sleep 1000; sleep 1000"]) as phase:
        while not phase.log.read_text():
            pass
    monkeypatch.setattr(testing, "END_SECONDS", 60)
    phase.end()
    assert phase.process.returncode == -9
