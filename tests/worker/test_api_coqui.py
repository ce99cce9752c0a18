"""Coqui's own API, as its clients use it."""

import httpx
import pytest

from tests.judge import SENTENCES, recognise

TEXT = SENTENCES[0]


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET", "params": {"text": TEXT}},
        {"method": "GET", "params": {"text": TEXT, "speaker_id": "p225", "language_id": "fr", "style_wav": ""}},
        {"method": "GET", "headers": {"text": TEXT}},
        {"method": "POST", "data": {"text": TEXT}},
        {"method": "POST", "params": {"text": TEXT}},
        {"method": "POST", "files": {"text": (None, TEXT)}},
    ],
)
def test_every_way_to_send_a_text_gives_a_whole_wav(api: httpx.Client, request_: dict[str, object]) -> None:
    answer = api.request(url="/api/tts", **request_)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert recognise(answer.content) == TEXT


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "empty_text"),
        ({"text": "  "}, "empty_text"),
        ({"text": "x" * 4097}, "text_too_long"),
        ({"text": "a\0b"}, "control_character"),
        ({"text": "Hello.", "style_wav": "/etc/passwd"}, "unsupported_parameter"),
        ({"text": "Hello.", "speaker_wav": "/etc/passwd"}, "unsupported_parameter"),
    ],
)
def test_wrong_parameters_are_refused(api: httpx.Client, parameters: dict[str, str], code: str) -> None:
    for answer in (api.get("/api/tts", params=parameters), api.post("/api/tts", data=parameters)):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"text=\xff\xfe"),
        ("application/x-www-form-urlencoded", b"text=%ff%fe"),
        ("multipart/form-data", b"no boundary"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n',
        ),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(api: httpx.Client, content_type: str, body: bytes) -> None:
    answer = api.post("/api/tts", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_form")
