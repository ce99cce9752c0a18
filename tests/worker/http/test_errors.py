"""The one table of answers to errors."""

import json
from pathlib import Path
from typing import get_args

import pytest

from ttsworker.cache import CacheUnavailable
from ttsworker.encoding import EncodingFailed, UnsupportedEncoding
from ttsworker.http.errors import ANSWERS, ApiError, answer_to
from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import AnswerTooLarge
from ttsworker.scheduling.stream import Interrupted
from ttsworker.speech.errors import AudioTimeout, InvalidCode, InvalidRequest, SynthesisFailed

CASES = [
    (ApiError(413, "body_too_large", "m", headers={"Connection": "close"}), 413, {"Connection": "close"}),
    (InvalidRequest("markup", "m", param="input"), 400, {}),
    (UnsupportedEncoding("invalid_value", "m", param="sample_rate"), 400, {}),
    (NotAdmitted("queue_full", "m", 7), 429, {"Retry-After": "7"}),
    (NotAdmitted("memory_full", "m", 7), 429, {"Retry-After": "7"}),
    (AnswerTooLarge(2000, 1000), 413, {}),
    (NotAdmitted("starting", "m", 2), 503, {"Retry-After": "2"}),
    (NotAdmitted("draining", "m", 1), 503, {"Retry-After": "1"}),
    (Interrupted(), 503, {"Retry-After": "1"}),
    (AudioTimeout("m"), 504, {}),
    (EncodingFailed("ffmpeg: its own words"), 500, {}),
    (SynthesisFailed("m"), 500, {}),
    (CacheUnavailable("connection"), 503, {"Retry-After": "5"}),
]

CODES = {
    Interrupted: "draining",
    AnswerTooLarge: "answer_too_large",
    AudioTimeout: "timeout",
    EncodingFailed: "encoding_failed",
    SynthesisFailed: "synthesis_failed",
    CacheUnavailable: "cache_unavailable",
}
"""Of the errors that have no code of their own."""


@pytest.mark.parametrize(("error", "status", "headers"), CASES, ids=lambda value: type(value).__name__)
def test_every_error_has_its_status_code_param_and_headers(
    error: Exception, status: int, headers: dict[str, str]
) -> None:
    response = answer_to(error).response()
    body = json.loads(bytes(response.body))["error"]
    assert response.status_code == status
    assert body["code"] == CODES.get(type(error), getattr(error, "code", None))
    assert body["param"] == getattr(error, "param", None)
    assert {name: response.headers.get(name) for name in ("Retry-After", "Connection")} == {
        "Retry-After": None,
        "Connection": None,
        **headers,
    }


def test_the_message_is_the_error_s_except_that_of_an_encoder() -> None:
    assert answer_to(Interrupted()).body()["error"]["message"].startswith("this worker is shutting down: try again")
    assert answer_to(EncodingFailed("ffmpeg: its own words")).body()["error"]["message"] == (
        "the audio could not be encoded: try another response_format"
    )
    assert answer_to(SynthesisFailed("the engine failed")).body()["error"]["message"] == "the engine failed"


def test_the_table_has_a_case_here_for_every_type() -> None:
    assert {type(error) for error, _, _ in CASES} == set(ANSWERS)


def test_the_guide_has_every_code() -> None:
    table = Path("docs/speech-api.md").read_text().partition("## Errors")[2]
    codes = {*get_args(InvalidCode), *(answer_to(error).code for error, _, _ in CASES)}
    codes -= {"invalid_text"}  # of the command line
    assert {code for code in codes if f"`{code}`" not in table} == set()
