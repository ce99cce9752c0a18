"""What the operator logs: one JSON object a line, of the shape of the worker's, whoever wrote the record."""

import contextvars
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import kopf
import pytest

from ttsoperator import logs
from ttsworker.observe.logs import JsonFormatter as WorkersFormatter


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    loggers = [logging.getLogger(name) for name in (None, "kopf", "kubernetes")]
    levels, handlers = [logger.level for logger in loggers], logging.root.handlers[:]
    hook = sys.excepthook
    yield
    sys.excepthook = hook
    logging.captureWarnings(capture=False)
    logging.root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_has_the_fields_of_the_workers_lines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("here").exception("it %s", "failed", extra={"child": "Deployment/english"})
        record = logging.LogRecord("here", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())
    [line] = lines(capsys)
    assert (line["level"], line["message"], line["module"]) == ("ERROR", "it failed", "here")
    assert (line["function"], line["child"]) == (
        "test_a_line_has_the_fields_of_the_workers_lines",
        "Deployment/english",
    )
    assert line["exception"].endswith("ValueError: two\nlines")
    assert line.keys() - {"child"} == json.loads(WorkersFormatter().format(record)).keys()


def test_a_pass_names_its_service(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()

    def work() -> None:
        logs.service.set(("speech", "english"))
        logging.getLogger("ttsoperator").info("create Deployment")

    contextvars.copy_context().run(work)
    logging.getLogger("ttsoperator").info("leading")
    inside, outside = lines(capsys)
    assert (inside["namespace"], inside["service"]) == ("speech", "english")
    assert not {"namespace", "service"} & outside.keys()


def test_what_kopf_logs_names_its_object_and_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    reference = {"kind": "TTSService", "namespace": "speech", "name": "english"}
    extra = {"settings": kopf.OperatorSettings(), "k8s_skip": True, "k8s_ref": reference}
    try:
        raise OSError("away")
    except OSError:
        logging.getLogger("kopf.objects").exception("The watch failed", extra=extra)
    logging.getLogger("kopf.objects").info("Handling is done")
    logging.getLogger("kubernetes.client").warning("Again")
    [line] = lines(capsys)
    assert line["k8s_ref"] == reference
    assert not {"settings", "k8s_skip", "exception"} & line.keys()


def test_debugging_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logs.configure("DEBUG")
    try:
        raise OSError("away")
    except OSError:
        logging.getLogger("kopf").debug("trying", exc_info=True)
    logging.getLogger("kubernetes.client").debug("asking")
    kopfs, clients = lines(capsys)
    assert "OSError: away" in kopfs["exception"]
    assert clients["message"] == "asking"
