"""The API of Coqui's tts-server, as its clients use it, spoken by the embedded voice."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.serving import WorkerProcess
from ttsworker.http.routes.details import render, shown_settings
from ttsworker.settings import Settings

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
        {"method": "GET", "url": "/process", "params": {"INPUT_TEXT": TEXT, "VOICE": "heart", "LOCALE": "en_US"}},
        {"method": "POST", "url": "/process", "data": {"INPUT_TEXT": TEXT, "AUDIO": "WAVE_FILE"}},
    ],
)
def test_every_way_to_send_a_text_gives_a_whole_wav(api: httpx.Client, request_: dict[str, object]) -> None:
    answer = api.request(**{"url": "/api/tts", **request_})  # type: ignore[arg-type]
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
    ("path", "parameters", "param"),
    [
        ("/api/tts", {}, "text"),
        ("/api/tts", {"text": "a\0b"}, "text"),
        ("/process", {}, "INPUT_TEXT"),
        ("/process", {"INPUT_TEXT": "x" * 4097}, "INPUT_TEXT"),
        ("/process", {"INPUT_TEXT": TEXT, "VOICE": "nobody"}, "VOICE"),
    ],
)
def test_an_error_names_the_parameter_as_the_client_spells_it(
    api: httpx.Client, path: str, parameters: dict[str, str], param: str
) -> None:
    for answer in (api.get(path, params=parameters), api.post(path, data=parameters)):
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_marytts_lists_are_lines_of_text(api: httpx.Client) -> None:
    answers = api.get("/voices"), api.get("/locales")
    assert [answer.text for answer in answers] == ["heart en-US u\n", "en-US"]
    assert {answer.headers["content-type"] for answer in answers} == {"text/html; charset=utf-8"}
    assert [voice["id"] for voice in api.get("/v1/audio/voices").json()["voices"]] == ["heart"]


def test_marytts_requests_are_counted_like_the_others(hibari: WorkerProcess, api: httpx.Client) -> None:
    metric = 'tts_requests_total{model="hibari",status="400"} '

    def refused() -> float:
        lines = httpx.get(hibari.metrics_url, timeout=60).text.splitlines()
        return sum(float(line.removeprefix(metric)) for line in lines if line.startswith(metric))

    before = refused()
    api.get("/process", headers={"X-Request-ID": "no-text"})
    hibari.wait_for("request", request_id="no-text")  # it is counted when its answer has been sent
    assert refused() == before + 1


def test_the_details_show_what_is_served(api: httpx.Client) -> None:
    page = api.get("/details")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<tr><th>voices</th><td>heart</td></tr>" in page.text
    assert "<tr><th>max_text_length</th><td>4096</td></tr>" in page.text


def test_the_details_show_no_path_and_no_secret() -> None:
    hidden = ("/models/one", "hunter2", "redis.example", "/keys/all", "/tls/chain", "/tls/key", "10.1.2.0")
    settings = Settings(
        model_dir=Path("/models/one"),
        redis_url=SecretStr("redis://:hunter2@redis.example"),
        api_keys_file=Path("/keys/all"),
        tls_certificate_file=Path("/tls/chain"),
        tls_key_file=Path("/tls/key"),
        trusted_proxies=["10.1.2.0/24"],
    )
    page = render(shown_settings(settings))
    assert "max_text_length" in page
    assert not [word for word in hidden if word in page]


def test_the_details_are_text_and_never_markup() -> None:
    page = render({"model": "<script>alert(1)</script>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


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
