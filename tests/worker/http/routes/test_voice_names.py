"""The names by which clients ask for a voice and for the model, on every route that speaks."""

import logging
from collections.abc import Sequence

import httpx
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, body_of, heard
from tests.support.worker.serving import Served, serving
from ttsworker.engines import Utterance, Voice
from ttsworker.speech.voices import MARYTTS_VOICE, OPENAI_VOICES


class Choir(ArtificialEngine):
    """Has voices as they are in models: a speaker of YourTTS with a line end, a name that is not ASCII."""

    voices: Sequence[Voice] = (Voice("anna", "en"), Voice("female-en-5\n", "en"), Voice("Zoë 100%", "en"))
    probe = Utterance("probe of the choir", "anna")


async def speak(served: Served, path: str, voice: str) -> httpx.Response:
    """Ask for a voice, with the parameters of the path's API."""
    if path == SPEECH:
        return await served.client.post(path, json=body_of("Hello.", voice=voice))
    text, speaker = ("INPUT_TEXT", "VOICE") if path == "/process" else ("text", "speaker_id")
    return await served.client.get(path, params={text: "Hello.", speaker: voice})


PATHS = (SPEECH, "/api/tts", "/process")


@pytest.mark.parametrize("path", PATHS)
async def test_every_speech_answer_names_the_voice_that_spoke(path: str) -> None:
    async with serving(Choir()) as served:
        spoken = [(await speak(served, path, voice)).headers["x-tts-voice"] for voice in ("", "anna", "alloy", "ash")]
        assert spoken == ["anna", "anna", "anna", "female-en-5%0A"]
        assert (await speak(served, path, "Zoë 100%")).headers["x-tts-voice"] == "Zo%C3%AB 100%25"


async def test_a_model_of_any_name_can_be_named_in_a_header() -> None:
    async with serving(Choir(), model_name="日本語\n1") as served:
        assert (await speak(served, SPEECH, "")).headers["x-tts-model"] == "%E6%97%A5%E6%9C%AC%E8%AA%9E%0A1"


@pytest.mark.parametrize("path", PATHS)
async def test_every_name_that_clients_send_unasked_speaks(path: str) -> None:
    async with serving(ArtificialEngine()) as served:
        answers = [await speak(served, path, voice) for voice in (*OPENAI_VOICES, MARYTTS_VOICE)]
        assert {(answer.status_code, answer.headers["x-tts-voice"]) for answer in answers} == {(200, "one")}


@pytest.mark.parametrize("path", PATHS)
async def test_an_alias_speaks_and_an_unknown_name_does_not(path: str) -> None:
    async with serving(ArtificialEngine(), voice_aliases={"narrator": "two"}) as served:
        assert (await speak(served, path, "narrator")).headers["x-tts-voice"] == "two"
        error = (await speak(served, path, "nobody")).json()["error"]
        assert (error["code"], "the voices are one, two" in error["message"]) == ("unknown_voice", True)


@pytest.mark.parametrize("path", PATHS)
async def test_an_unknown_name_speaks_with_the_default_voice_where_the_setting_says_so(path: str) -> None:
    async with serving(ArtificialEngine(), unknown_voice="Default") as served:
        for name in ("nobody", "af_bella+af_sky", "en_US-amy-medium", "日本", "x" * 5000):
            answer = await speak(served, path, name)
            assert (answer.status_code, answer.headers["x-tts-voice"]) == (200, "one")


async def test_an_object_may_have_an_alias() -> None:
    async with serving(ArtificialEngine(), voice_aliases={"narrator": "two"}) as served:
        answer = await served.client.post(SPEECH, json=body_of("Hello.", voice={"id": "narrator"}))
        assert answer.headers["x-tts-voice"] == "two"


async def test_the_cache_knows_the_voice_and_not_its_names() -> None:
    async with serving(ArtificialEngine(), voice_aliases={"narrator": "two"}, cache_ttl_seconds=60) as served:
        answers = [await speak(served, SPEECH, voice) for voice in ("narrator", "two", "alloy", "", "default")]
        assert [answer.headers["x-tts-cached-sentences"] for answer in answers] == ["0/1", "1/1", "0/1", "1/1", "1/1"]
        assert heard(answers[0]).tolist() == heard(answers[1]).tolist() != heard(answers[2]).tolist()


async def test_the_list_has_the_models_voices_and_beside_them_the_other_names() -> None:
    async with serving(ArtificialEngine(), voice_aliases={"narrator": "two", "lost": "eve"}) as served:
        listed = (await served.client.get("/v1/audio/voices")).json()
        assert [voice["id"] for voice in listed["voices"]] == ["one", "two"]
        assert listed["aliases"] == dict.fromkeys([*OPENAI_VOICES, MARYTTS_VOICE], "one") | {"narrator": "two"}
        for name, voice in listed["aliases"].items():
            assert (await speak(served, SPEECH, name)).headers["x-tts-voice"] == voice


async def test_an_alias_of_a_voice_that_the_model_lacks_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with serving(ArtificialEngine(), voice_aliases={"narrator": "two", "lost": "eve"}) as served:
            assert (await speak(served, SPEECH, "lost")).status_code == 400
    [line] = [each for each in caplog.records if each.getMessage() == "the model lacks the voices of aliases"]
    assert (vars(line)["model"], vars(line)["aliases"]) == ("artificial", ["lost"])


@pytest.mark.parametrize(
    "name",
    [
        "tts-1", "tts-1-hd", "gpt-4o-mini-tts", "tts-1-1106", "tts-1-hd-1106", "gpt-4o-mini-tts-2025-03-20",
        "gpt-4o-mini-tts-2025-12-15", "gpt-4o-mini-tts-2027-01-31", "openai/tts-1", "openai/gpt-4o-mini-tts-2025-12-15",
        "artificial",
    ],
)  # fmt: skip
async def test_the_model_speaks_by_every_name_of_openais_models(name: str) -> None:
    async with serving(ArtificialEngine()) as served:
        assert (await served.client.post(SPEECH, json=body_of("Hello.", model=name))).status_code == 200
        answer = await served.client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()["id"], answer.json()["object"]) == (200, name, "model")


@pytest.mark.parametrize(
    "name",
    ["whisper-1", "gpt-4o", "tts-2", "tts-1-", "tts-1-hd-11", "xtts-1", "gpt-4o-mini-tts-latest", "x/tts-1"],
)
async def test_other_models_are_not_served(name: str) -> None:
    async with serving(ArtificialEngine()) as served:
        posted = await served.client.post(SPEECH, json=body_of("Hello.", model=name))
        for answer in (posted, await served.client.get(f"/v1/models/{name}")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
