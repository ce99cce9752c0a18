"""Whatever a client sends, the answer is a clear 4xx in the API's shape, and the worker goes on."""

import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.worker.asking import SPEECH

BODIES: list[tuple[str, bytes | object, int, str, str | None]] = [
    ("empty body", b"", 400, "invalid_json", None),
    ("broken JSON", b'{"input": ', 400, "invalid_json", None),
    ("not an object", b'["Hello."]', 400, "invalid_value", None),
    ("not UTF-8", b'{"input": "\xff\xfe"}', 400, "invalid_json", None),
    ("lone surrogate", b'{"input": "a \\ud800 b"}', 400, "invalid_json", None),
    ("deeply nested", b'{"input": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "invalid_json", None),
    ("no text", {}, 400, "invalid_value", "input"),
    ("empty text", {"input": ""}, 400, "empty_text", "input"),
    ("blank text", {"input": " \n\t "}, 400, "empty_text", "input"),
    ("too long", {"input": "a" * 4097}, 400, "text_too_long", "input"),
    ("NUL", {"input": "a\0b"}, 400, "control_character", "input"),
    ("escape sequence", {"input": "a\x1b[31mb"}, 400, "control_character", "input"),
    ("C1 control", {"input": "a\x85b"}, 400, "control_character", "input"),
    ("number as text", {"input": 5}, 400, "invalid_value", "input"),
    ("list as text", {"input": ["Hello."]}, 400, "invalid_value", "input"),
    ("null text", {"input": None}, 400, "invalid_value", "input"),
    ("nothing to speak", {"input": "日本語"}, 400, "nothing_to_speak", "input"),
    ("nothing to speak, twice", {"input": "日本語。日本語。"}, 400, "nothing_to_speak", "input"),
    ("unknown voice", {"input": "Hello.", "voice": "nobody"}, 400, "unknown_voice", "voice"),
    ("voice of a wrong type", {"input": "Hello.", "voice": {"id": 1}}, 400, "invalid_value", "voice"),
    ("unknown model", {"input": "Hello.", "model": "gpt-9"}, 404, "model_not_found", "model"),
    ("unknown language", {"input": "Hello.", "language": "tlh"}, 400, "unknown_language", "language"),
    ("voice of two names", {"input": "Hello.", "voice": {"id": "a", "name": "b"}}, 400, "invalid_value", "voice"),
    ("voice of no name", {"input": "Hello.", "voice": {}}, 400, "invalid_value", "voice"),
    ("voice of another key", {"input": "Hello.", "voice": {"key": "heart"}}, 400, "invalid_value", "voice"),
    ("unknown format", {"input": "Hello.", "response_format": "midi"}, 400, "unsupported_format", "response_format"),
    ("unknown framing", {"input": "Hello.", "stream_format": "ws"}, 400, "unsupported_format", "stream_format"),
    ("low sample rate", {"input": "Hello.", "sample_rate": 7999}, 400, "invalid_value", "sample_rate"),
    ("high sample rate", {"input": "Hello.", "sample_rate": 48_001}, 400, "invalid_value", "sample_rate"),
    ("broken sample rate", {"input": "Hello.", "sample_rate": 8000.5}, 400, "invalid_value", "sample_rate"),
    ("rate mp3 has not", {"input": "Hello.", "sample_rate": 23_999}, 400, "invalid_value", "sample_rate"),
    ("no channel", {"input": "Hello.", "channels": 0}, 400, "invalid_value", "channels"),
    ("three channels", {"input": "Hello.", "channels": 3}, 400, "invalid_value", "channels"),
    ("instructions of a wrong type", {"input": "Hello.", "instructions": 1}, 400, "invalid_value", "instructions"),
    ("too fast", {"input": "Hello.", "speed": 4.01}, 400, "invalid_value", "speed"),
    ("backwards", {"input": "Hello.", "speed": -1}, 400, "invalid_value", "speed"),
    ("word as speed", {"input": "Hello.", "speed": "fast"}, 400, "invalid_value", "speed"),
    ("no number as speed", b'{"input": "Hello.", "speed": NaN}', 400, "invalid_value", "speed"),
    ("endless speed", b'{"input": "Hello.", "speed": Infinity}', 400, "invalid_value", "speed"),
    ("unknown parameter", {"input": "Hello.", "pitch": 2, "strict": True}, 400, "unknown_parameter", "pitch"),
    ("strictness of a wrong type", {"input": "Hello.", "strict": "very"}, 400, "invalid_value", "strict"),
    ("wrong type beside an unknown one", {"pitch": 2, "input": 5}, 400, "invalid_value", "input"),
]


@pytest.mark.parametrize(("body", "status", "code", "param"), [case[1:] for case in BODIES], ids=[c[0] for c in BODIES])
def test_wrong_requests(api: httpx.Client, body: bytes | object, status: int, code: str, param: str | None) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = api.post(SPEECH, content=content)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    assert 0 < len(error["message"]) < 400


def test_the_message_says_which_formats_there_are(api: httpx.Client) -> None:
    message = api.post(SPEECH, json={"input": "Hello.", "response_format": "midi"}).json()["error"]["message"]
    assert all(f"'{name}'" in message for name in ("mp3", "opus", "aac", "flac", "wav", "pcm"))


def test_the_position_of_a_control_character_is_told(api: httpx.Client) -> None:
    message = api.post(SPEECH, json={"input": "abc\0"}).json()["error"]["message"]
    assert message == "input has the control character U+0000 at position 3: remove it"


def test_line_ends_and_tabs_are_no_control_characters(api: httpx.Client) -> None:
    assert api.post(SPEECH, json={"input": "One.\r\nTwo.\tThree.\rFour."}).status_code == 200


def test_a_form_feed_and_a_byte_order_mark_cost_nothing(api: httpx.Client) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"input": "Page one.\fPage two."}).encode()
    assert api.post(SPEECH, content=body).status_code == 200


def test_the_longest_text_in_its_longest_writing_is_not_too_large(api: httpx.Client) -> None:
    body = json.dumps({"input": "😀" * 4096})  # twelve bytes each
    assert len(body) > 4096 * 12
    answer = api.post(SPEECH, content=body)
    assert (answer.status_code, answer.headers["x-tts-skipped"]) == (200, "4096")


@pytest.mark.parametrize("path", [SPEECH, "/api/tts"])
def test_a_huge_body_is_refused_before_it_is_read(api: httpx.Client, path: str) -> None:
    answer = api.post(path, content=b"x" * 10_000_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", [SPEECH, "/api/tts"])
def test_an_endless_body_is_refused_at_the_bound(api: httpx.Client, path: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 65_536
            yield b"x" * 65_536

    try:
        answer = api.post(path, content=endless())
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    except httpx.WriteError:
        pass  # the connection was closed under the upload, which refuses it as well
    assert sent < 100_000_000


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", SPEECH, 405, "method_not_allowed"),
        ("DELETE", "/api/tts", 405, "method_not_allowed"),
        ("GET", "/metrics", 404, "not_found"),
    ],
)
def test_wrong_paths_and_methods(api: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@given(
    body=st.binary(max_size=200)
    | st.dictionaries(st.text(max_size=9), st.text() | st.integers() | st.none()).map(json.dumps)
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_is_too_strange(api: httpx.Client, body: bytes | str) -> None:
    answer = api.post(SPEECH, content=body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


@given(text=st.text(min_size=1, max_size=80))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_too_strange(api: httpx.Client, text: str) -> None:
    answer = api.post(SPEECH, json={"input": text})
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert answer.json()["error"]["code"] in {
            "empty_text", "control_character", "nothing_to_speak", "unspeakable_text", "invalid_json",
        }  # fmt: skip
