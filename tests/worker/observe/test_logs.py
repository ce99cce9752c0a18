"""Every line of the log is one JSON object with the fields operations asked for, and no text it should not show."""

import asyncio
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ttscontract.worker_config import TextLogging
from ttsworker.observe import logs
from ttsworker.observe.logs import request_id

TEXT = "My password is swordfish, she said."


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs go; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hook = sys.excepthook
    yield io.StringIO()
    sys.excepthook = hook
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_fields_operations_asked_for(stream: io.StringIO) -> None:
    logs.configure("INFO", stream=stream)
    request_id.set("r-1")
    try:
        logging.getLogger("ttsworker.some").info("spoke %d words", 3, extra={"voice": "en", "path": Path("/models")})
    finally:
        request_id.set(None)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("+00:00")
    assert line.pop("line") > 0
    assert line == {
        "level": "INFO",
        "message": "spoke 3 words",
        "module": "ttsworker.some",
        "function": "test_a_line_has_the_fields_operations_asked_for",
        "request_id": "r-1",
        "voice": "en",
        "path": "/models",
    }


def test_an_exception_stays_on_its_line(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    try:
        int("many\nlines")
    except ValueError:
        logging.getLogger("ttsworker").exception("failed")
    (line,) = lines(stream)
    assert line["exception"].startswith("Traceback")
    assert "ValueError" in line["exception"]
    assert "request_id" not in line


@pytest.mark.parametrize(
    ("setting", "shown"),
    [("Masked", "My pass*********************e said."), ("None", None), ("Full", TEXT)],
)
def test_a_text_is_shown_as_the_setting_says(stream: io.StringIO, setting: TextLogging, shown: str | None) -> None:
    logs.configure(text_logging=setting, stream=stream)
    logging.getLogger("ttsworker").info("speaking", extra={"text": TEXT})
    assert lines(stream)[0].get("text") == shown
    assert ("swordfish" in stream.getvalue()) == (setting == "Full")


def test_the_level_holds_and_a_second_configuration_replaces_the_first(stream: io.StringIO) -> None:
    logs.configure("debug", stream=io.StringIO())
    logs.configure("WARNING", stream=stream)
    logging.getLogger("ttsworker").info("not this")
    logging.getLogger("ttsworker").warning("this")
    assert [line["message"] for line in lines(stream)] == ["this"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        logs.configure("LOUD")


def test_libraries_and_warnings_are_json_too_but_no_urls_of_httpx(stream: io.StringIO) -> None:
    logs.configure("INFO", stream=stream)
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("httpx").info("GET https://host/file?token=secret")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)
        logging.captureWarnings(capture=False)
    assert [line["module"] for line in lines(stream)] == ["uvicorn.error", "py.warnings"]


def test_what_json_cannot_hold_is_no_trouble(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logging.getLogger("ttsworker").info("half a pair \ud83d", extra={"text": "\ud83d" * 10, "thing": {1}})
    assert lines(stream)[0]["thing"] == "{1}"
    stream.getvalue().encode()


async def test_tasks_and_threads_keep_their_own_request_id(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    log = logging.getLogger("ttsworker")

    async def answer(name: str) -> None:
        request_id.set(name)
        await asyncio.sleep(0)
        await asyncio.to_thread(log.info, name)

    await asyncio.gather(*(answer(f"r-{number}") for number in range(5)))
    assert sorted((line["message"], line["request_id"]) for line in lines(stream)) == [
        (f"r-{number}", f"r-{number}") for number in range(5)
    ]
