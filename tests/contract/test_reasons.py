"""Reasons: what the programs write into their termination messages, the operator reads as reasons of conditions."""

import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ttsworker.models
from ttscontract import pods
from ttscontract.reason import Program, Severity
from ttscontract.reasons import Reason
from ttsoperator.children.model.download import parse_message
from ttsoperator.reconcile.status.diagnosis import reported_reason
from ttsworker.engines import ModelError
from ttsworker.observe import termination
from ttsworker.settings import InvalidSettings

ROOT = Path(__file__).parents[2]


def test_programs_report_only_reasons_that_the_operator_knows() -> None:
    reported = [reason for reason in Reason if reason.reported_by]
    for reason in reported:
        if reason.is_condition:
            assert reported_reason(reason.value, Reason.WORKER_CRASHING) is reason
        else:
            assert reported_reason(reason.value, Reason.DOWNLOAD_FAILED) is Reason.DOWNLOAD_FAILED
    assert {reason.reported_by for reason in reported} == set(Program)


def test_every_error_that_ends_a_worker_has_a_reason_of_the_contract() -> None:
    for module in pkgutil.iter_modules(ttsworker.models.__path__, "ttsworker.models."):
        importlib.import_module(module.name)
    found = {InvalidSettings.reason, *(error.reason for error in _subclasses(ModelError))}
    assert found == {reason for reason in Reason if reason.reported_by is Program.WORKER}
    assert all(reason.severity is Severity.STALLED for reason in found)


def test_a_reason_that_the_download_names_is_marked_as_the_downloads() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "worker/ttsworker/fetch").glob("*.py"))
    named = {Reason[name] for name in re.findall(r"Reason\.([A-Z_]+)", sources)}
    assert named == {reason for reason in Reason if reason.reported_by is Program.DOWNLOAD}


@pytest.mark.parametrize("message", ["short", '"\\' * 4000, "ä" * 4000, "𝄞" * 4000], ids=["short", "quotes", "ä", "𝄞"])
def test_the_operator_reads_what_a_worker_leaves(tmp_path: Path, message: str) -> None:
    path = tmp_path / "termination-log"
    path.touch()
    termination.report_failure(Reason.MODEL_MISSING, message, path)
    text = path.read_bytes()
    assert len(text) <= pods.TERMINATION_BYTES
    told = parse_message(text.decode())
    assert told.keys() == {"reason", "message"} <= pods.Termination.__annotations__.keys()
    assert told["reason"] == "ModelMissing"
    assert message.startswith(told["message"])
    assert len(told["message"]) >= min(len(message), 400)


def test_nothing_is_written_where_there_is_no_termination_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    termination.report_failure(Reason.MODEL_MISSING, "no model", tmp_path / "nowhere", level=logging.ERROR)
    assert not [*tmp_path.iterdir()]
    assert [record.message for record in caplog.records] == ["no model"]


def _subclasses(kind: type[ModelError]) -> Iterator[type[ModelError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
