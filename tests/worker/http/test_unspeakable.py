"""What the model cannot speak is said in a header, or refused, and marks alone are a pause."""
# ruff: noqa: RUF001 - the marks are intended

import io
import logging
import wave
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, ask, heard
from tests.support.worker.serving import Served, serving

SKIPPED = "x-tts-skipped"

MARKS_ONLY = [
    "…", "...", "()", "---", "***", "🙂", "?!", "•", "—", "\"\"", "''", "( )", "[ ]", "😀 😀", "❤️", "👨‍👩‍👧", "♪", "↓",
    "• • •",    "* * *", "___", "|", "|---|---|", "``", "´", "«»", "!", "\u200b", "…\n\n…", "。", "🇩🇪",
]  # fmt: skip
"""Pieces that agents and readers cut out of a reply, each of which clients have sent to a speech server."""


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    engine = ArtificialEngine()
    engine.unknown = "日本語→"
    async with serving(engine) as served:
        yield served


async def refusal(served: Served, text: str, **more: object) -> tuple[int, str, str]:
    answer = await ask(served, text, **more)
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize("text", MARKS_ONLY)
def test_marks_alone_are_a_pause(api: httpx.Client, text: str) -> None:
    answer = api.post(SPEECH, json={"input": text, "response_format": "wav"})
    assert answer.status_code == 200
    assert answer.headers[SKIPPED] == str(len("".join(text.split())))
    assert answer.headers["x-tts-cached-sentences"] == "0/1"
    audio = heard(answer)
    assert len(audio) == 0.3 * 24_000
    assert not audio.any()


@pytest.mark.parametrize("text", MARKS_ONLY)
def test_marks_alone_are_refused_on_request(api: httpx.Client, text: str) -> None:
    answer = api.post(SPEECH, json={"input": text, "on_unspeakable": "reject"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unspeakable_text")


@pytest.mark.parametrize("audio_format", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_a_pause_has_every_format(api: httpx.Client, audio_format: str) -> None:
    answer = api.post(SPEECH, json={"input": "…", "response_format": audio_format})
    assert answer.status_code == 200
    assert answer.content


def test_the_other_apis_answer_marks_alike(api: httpx.Client) -> None:
    for answer in (api.get("/api/tts", params={"text": "…"}), api.get("/process", params={"INPUT_TEXT": "…"})):
        assert (answer.status_code, answer.headers[SKIPPED]) == (200, "1")
        with wave.open(io.BytesIO(answer.content)) as audio:
            assert audio.getnframes() == 0.3 * 24_000


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u3000"])
def test_a_blank_text_is_empty(api: httpx.Client, text: str) -> None:
    assert api.post(SPEECH, json={"input": text}).json()["error"]["code"] == "empty_text"


@pytest.mark.parametrize(
    ("text", "skipped"),
    [
        ("She wrote 日本語 on the wall.", 3),
        ("Tokyo (東京) is large.", 2),
        ("שלום means peace.", 4),
        ("Great job! 🎉🎉", 2),
        ("Up ↑ and down ↓.", 2),
        ("It is 20 ℃ now.", 1),
        ("Open C:\\Users now.", 1),
        ("The Widget™ is here.", 1),
        ("한국어. Then English.", 3),
        ("∀x ∃y", 2),
        ("Wait ⏳ a moment.", 1),
    ],
)
def test_the_embedded_voice_says_what_it_left_out(api: httpx.Client, text: str, skipped: int) -> None:
    answer = api.post(SPEECH, json={"input": text})
    assert (answer.status_code, answer.headers[SKIPPED]) == (200, str(skipped))
    refused = api.post(SPEECH, json={"input": text, "on_unspeakable": "reject"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unspeakable_text")


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, “quoted” (and more) — or less… ok?",
        "It cost $5.50, i.e. 20 % of €27 & more.",
        "A naïve café in Łódź, 5 °C, ½ price, x² @ home #1 © me.",
        "- a list item\n* another\n• a third",
        "a | b and `code` and **bold**",
        "it’s 5 £, -7, 3×4, 1+1=2, <5, ~6, →7",
    ],
)
def test_a_text_that_is_spoken_whole_has_no_header(api: httpx.Client, text: str) -> None:
    answer = api.post(SPEECH, json={"input": text, "on_unspeakable": "reject"})
    assert answer.status_code == 200
    assert SKIPPED not in answer.headers


async def test_sentences_in_which_nothing_is_spoken_never_reach_the_engine(served: Served) -> None:
    engine = served.model.engine
    assert isinstance(engine, ArtificialEngine)
    answer = await ask(served, "日本語。 Hello there. 日本!")
    assert (answer.headers[SKIPPED], engine.begun) == ("5", ["Hello there."])


async def test_a_script_that_the_model_does_not_know_at_all_is_refused(served: Served) -> None:
    code = "nothing_to_speak"
    assert (await refusal(served, "日本語。"))[:2] == (400, code)
    assert (await refusal(served, "日本語。", on_unspeakable="reject"))[:2] == (400, code)


async def test_the_refusal_names_the_first_characters(served: Served) -> None:
    status, code, message = await refusal(served, "Say 日本 " + "語" * 20, on_unspeakable="reject")
    assert (status, code) == (400, "unspeakable_text")
    assert "cannot speak 日 本 語 語 語 語 語 語 and 14 more characters" in message


async def test_the_setting_rejects_and_a_request_may_skip() -> None:
    engine = ArtificialEngine()
    engine.unknown = "日"
    async with serving(engine, on_unspeakable="Reject") as served:
        assert (await refusal(served, "Day 日."))[:2] == (400, "unspeakable_text")
        assert (await refusal(served, "…"))[:2] == (400, "unspeakable_text")
        assert (await served.client.get("/api/tts", params={"text": "…"})).status_code == 400
        assert (await ask(served, "Day 日.", on_unspeakable="skip")).headers[SKIPPED] == "1"
        assert SKIPPED not in (await ask(served, "Day.")).headers


async def test_the_log_tells_the_kinds_and_the_metric_counts(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await ask(served, "日本語 is Japanese → English.")
    [line] = [record for record in caplog.records if record.message == "left out what the model cannot speak"]
    assert (vars(line)["characters"], vars(line)["kinds"]) == (4, "CJK, RIGHTWARDS ARROW")
    await ask(served, "English.")
    value = served.worker.metrics.registry.get_sample_value
    assert value("tts_skipped_characters_total") == 4


async def test_a_pause_of_the_engines_own_is_as_long_as_between_sentences() -> None:
    engine = ArtificialEngine()
    engine.pause_seconds = 0.5
    async with serving(engine) as served:
        assert len(heard(await ask(served, "…"))) == 0.5 * engine.sample_rate
        assert engine.begun == []


async def test_a_pause_counts_as_an_answer_of_its_own_length(served: Served) -> None:
    answer = await ask(served, "…", response_format="pcm", stream=False)
    assert np.frombuffer(answer.content, np.int16).tolist() == [0] * 7200
    assert answer.headers["content-length"] == "14400"
