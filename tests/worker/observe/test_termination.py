"""What ends a program may quote a server or a library: no control character of theirs reaches a terminal."""

import json
import logging
from pathlib import Path

import pytest

from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.observe.termination import report_failure

HOSTILE = "404 \x1b[2J\x9b1mNot\r\nFound \u202egpj\x00"


def test_the_words_of_others_are_escaped_in_the_log_and_in_the_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "termination-log"
    path.touch()
    report_failure(Reason.MODEL_INVALID, f"Coqui cannot load it: {HOSTILE}", path, level=logging.ERROR)
    message = json.loads(path.read_text())["message"]
    assert message == "Coqui cannot load it: 404 \\u001b[2J\\u009b1mNot  Found \\u202egpj\\u0000"
    assert [record.getMessage() for record in caplog.records] == [message]


def test_a_download_tells_the_words_of_a_server_in_one_visible_line() -> None:
    assert str(FetchError(Reason.SOURCE_NOT_FOUND, HOSTILE)).isprintable()
