"""Fields that only other servers have: they cost no request its speech, and the answer names them."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, body_of, heard, spoken
from tests.support.worker.serving import Served, serving
from ttsworker.speech.request import SpeechRequest

IGNORED = "x-tts-ignored"

OTHER_SERVERS: Mapping[str, dict[str, Any]] = {
    "Kokoro-FastAPI": {
        "lang_code": "en-US",
        "volume_multiplier": 1,
        "return_download_link": False,
        "download_format": "mp3",
        "normalization_options": {"normalize": True, "unit_normalization": False, "url_normalization": True},
    },
    "Chatterbox": {"exaggeration": 0.5, "cfg_weight": 0.4, "temperature": 0.8, "streaming_chunk_size": 200},
    "vLLM-Omni": {"task_type": "Base", "ref_audio": "data:audio/wav;base64,UklGRg==", "ref_text": "Hi", "nvext": {}},
    "SGLang-Omni": {"references": [{"audio": "x", "text": "y"}], "max_new_tokens": 2048},
    "Orpheus": {"repetition_penalty": 1.1, "top_p": 0.9, "max_tokens": 1200},
    "Fish Speech": {"chunk_length": 200, "format": "wav", "reference_id": "a", "normalize": True, "latency": "normal"},
    "LocalAI": {"backend": "piper", "params": {"top_k": 1}},
    "ElevenLabs": {"voice_settings": {"stability": 0.5}, "seed": 4711, "previous_text": "Before."},
    "DeepInfra": {"return_timestamps": False, "service_tier": "default", "preset_voice": ["af_bella"]},
    "routers": {"user": "u-1", "metadata": {"tags": ["a"]}, "extra_body": {}, "timeout": 600},
    "a misspelling": {"respone_format": "mp3", "Speed": 2},
}


@pytest.mark.parametrize("server", OTHER_SERVERS)
async def test_fields_of_other_servers_are_named_and_change_nothing(server: str) -> None:
    fields = OTHER_SERVERS[server]
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(SPEECH, json=body_of("Hello.", **fields))
        assert answer.status_code == 200
        assert answer.headers[IGNORED] == ", ".join(fields)
        assert heard(answer).tolist() == spoken("Hello.").tolist()


async def test_an_answer_to_known_fields_names_none() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(SPEECH, json=body_of("Hello.", model="tts-1", voice="one", speed=1))
        assert IGNORED not in answer.headers


@pytest.mark.parametrize("field", [name for name in SpeechRequest.model_fields if name != "input"])
async def test_null_means_absent(field: str) -> None:
    async with serving(ArtificialEngine()) as served:
        absent = await served.client.post(SPEECH, json={"input": "Hello. Bye."})
        null = await served.client.post(SPEECH, json={"input": "Hello. Bye.", field: None})
        assert (absent.status_code, null.status_code) == (200, 200)
        assert null.content == absent.content
        assert null.headers["content-type"] == absent.headers["content-type"]
        assert IGNORED not in null.headers


async def test_all_at_once_may_be_null_and_unknown_ones_too() -> None:
    everything = dict.fromkeys([*SpeechRequest.model_fields, "lang_code", "normalization_options"])
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(SPEECH, json=everything | {"input": "Hello."})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
        assert IGNORED not in answer.headers


async def test_instructions_are_named_beside_the_unknown() -> None:
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(SPEECH, json=body_of("Hello.", instructions="Whisper.", seed=1))
        assert answer.headers[IGNORED] == "seed, instructions"


async def test_names_cannot_break_a_header_and_are_few_and_short() -> None:
    strange = {"a\r\nX-Evil: 1": 1, "Größe": 2, "": 3, "x" * 9000: 4, "a, b": 5, "\u0000": 6}
    async with serving(ArtificialEngine()) as served:
        answer = await served.client.post(SPEECH, json=body_of("Hello.", **strange))
        assert answer.headers[IGNORED].split(", ") == ["a??X-Evil??1", "Gr??e", "", "x" * 64, "a??b", "?"]
        assert "x-evil" not in answer.headers
        many = await served.client.post(SPEECH, json=body_of("Hello.", **{f"f{n}": n for n in range(100)}))
        assert many.headers[IGNORED].split(", ") == [*(f"f{n}" for n in range(16)), "..."]


async def test_a_log_line_and_a_metric_show_them(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(ArtificialEngine()) as served:
        with caplog.at_level(logging.INFO):
            for fields in ({}, {"seed": 1, "top_p": 2}, {"seed": 1}):
                await served.client.post(SPEECH, json=body_of("Hello.", **fields))
        metric = served.worker.metrics.registry.get_sample_value("tts_requests_with_ignored_fields_total")
    lines = [vars(each)["fields"] for each in caplog.records if each.getMessage() == "fields ignored"]
    assert (lines, metric) == ([("seed", "top_p"), ("seed",)], 2)


async def ask(served: Served, path: str, **more: object) -> Any:
    if path == SPEECH:
        return await served.client.post(path, json=body_of("Hello.", **more))
    text = "INPUT_TEXT" if path == "/process" else "text"
    return await served.client.post(path, data={text: "Hello.", **more})


@pytest.mark.parametrize("path", [SPEECH, "/api/tts", "/process"])
async def test_unknown_fields_are_refused_where_the_setting_says_so(path: str) -> None:
    async with serving(ArtificialEngine(), unknown_fields="Reject") as served:
        assert (await ask(served, path)).status_code == 200
        for strict in ({}, {"strict": False}) if path == SPEECH else ({},):
            answer = await ask(served, path, pitch="2", **strict)
            error = answer.json()["error"]
            assert (answer.status_code, error["code"], error["param"]) == (400, "unknown_parameter", "pitch")
            assert "the parameters are" in error["message"]


async def test_a_strict_request_is_refused_by_itself() -> None:
    async with serving(ArtificialEngine()) as served:
        assert (await ask(served, SPEECH, strict=True, instructions="Whisper.")).status_code == 200
        assert (await ask(served, SPEECH, strict=True, pitch=None)).status_code == 200
        assert (await ask(served, SPEECH, strict=True, pitch=2)).json()["error"]["code"] == "unknown_parameter"
        assert (await ask(served, SPEECH, strict=False, pitch=2)).headers[IGNORED] == "pitch"


@pytest.mark.parametrize(
    ("path", "sent", "ignored"),
    [
        ("/api/tts", {"text": "Hello.", "pitch": "2", "speaker-id": "two", "style_wav": "", "empty": ""},
         "pitch, speaker-id"),
        ("/process", {"INPUT_TEXT": "Hello.", "INPUT_TYPE": "TEXT", "OUTPUT_TYPE": "AUDIO", "AUDIO": "WAVE_FILE"},
         None),
        ("/process", {"INPUT_TEXT": "Hello.", "INPUT_TYPE": "TEXT", "AUDIO": "MP3_FILE", "effect_Robot_selected": "on"},
         "AUDIO, effect_Robot_selected"),
    ],
)  # fmt: skip
async def test_parameters_of_queries_and_forms_are_named_too(
    path: str, sent: dict[str, str], ignored: str | None
) -> None:
    async with serving(ArtificialEngine()) as served:
        asked = await served.client.get(path, params=sent)
        posted = await served.client.post(path, data=sent)
        assert [(each.status_code, each.headers.get(IGNORED)) for each in (asked, posted)] == [(200, ignored)] * 2


async def test_the_description_says_that_all_but_the_text_may_be_null() -> None:
    async with serving(ArtificialEngine()) as served:
        operation = (await served.client.get("/openapi.json")).json()["paths"][SPEECH]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    nullable = {name for name, field in schema["properties"].items() if {"type": "null"} in field.get("anyOf", [])}
    assert nullable == set(SpeechRequest.model_fields) - {"input"}
    assert "additionalProperties" not in schema
    assert set(operation["responses"]["200"]["headers"]) >= {"X-TTS-Model", "X-TTS-Voice", "X-TTS-Ignored"}
    json.dumps(operation)
