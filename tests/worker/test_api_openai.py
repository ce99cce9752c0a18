"""OpenAI's speech API, asked by OpenAI's own client and by plain HTTP."""

import io
import wave
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.judge import SENTENCES, recognise
from tests.worker.serving import WorkerProcess

SPEECH = "/v1/audio/speech"
TWO_SENTENCES = "The first sentence comes early. The second one follows it."
HEADER_BYTES = 44


@pytest.fixture
def client(hibari: WorkerProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{hibari.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def samples(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 24_000)
        return bytes(audio.readframes(audio.getnframes()))


@pytest.mark.parametrize("sentence", [SENTENCES[0], SENTENCES[7]])
def test_wav_is_speech_of_the_right_words(client: openai.OpenAI, sentence: str) -> None:
    answer = client.audio.speech.create(model="tts-1", voice="heart", input=sentence, response_format="wav")
    assert answer.response.headers["content-type"] == "audio/wav"
    assert recognise(answer.content) == sentence


def test_pcm_is_the_wav_without_its_header(client: openai.OpenAI) -> None:
    wav = client.audio.speech.create(model="hibari", voice="heart", input=SENTENCES[1], response_format="wav")
    pcm = client.audio.speech.create(model="hibari", voice="heart", input=SENTENCES[1], response_format="pcm")
    assert pcm.response.headers["content-type"] == "audio/pcm;rate=24000"
    assert pcm.content == wav.content[HEADER_BYTES:]


def test_streamed_and_whole_are_the_same_audio(client: openai.OpenAI) -> None:
    def ask(stream: bool) -> tuple[dict[str, str], bytes]:  # noqa: FBT001
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="heart", input=TWO_SENTENCES, response_format="wav", extra_body={"stream": stream}
        ) as answer:
            return dict(answer.headers), b"".join(answer.iter_bytes())

    streamed_headers, streamed = ask(stream=True)
    whole_headers, whole = ask(stream=False)
    assert "content-length" not in streamed_headers
    assert int(whole_headers["content-length"]) == len(whole)
    assert samples(streamed) == samples(whole)
    assert len(samples(whole)) == len(whole) - HEADER_BYTES


def test_same_text_gives_the_same_audio(client: openai.OpenAI) -> None:
    first, second = (client.audio.speech.create(model="tts-1", voice="heart", input=TWO_SENTENCES) for _ in range(2))
    assert first.content == second.content


def test_speed_changes_the_length(client: openai.OpenAI) -> None:
    slow, fast = (
        client.audio.speech.create(model="tts-1", voice="heart", input=SENTENCES[1], speed=speed)
        for speed in (0.5, 2.0)
    )
    assert len(slow.content) > 2 * len(fast.content)


def test_everything_optional_may_be_left_out(api: httpx.Client) -> None:
    answer = api.post(SPEECH, json={"input": SENTENCES[0]})
    assert answer.status_code == 200
    assert recognise(answer.content) == SENTENCES[0]


def test_errors_are_openai_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="heart") as error:
        client.audio.speech.create(model="tts-1", voice="nobody", input="Hello.")
    assert (error.value.code, error.value.param, error.value.type) == (
        "unknown_voice",
        "voice",
        "invalid_request_error",
    )
    with pytest.raises(openai.NotFoundError, match="serves hibari"):
        client.audio.speech.create(model="whisper-1", voice="heart", input="Hello.")


def test_models_and_voices(client: openai.OpenAI, api: httpx.Client) -> None:
    assert [model.id for model in client.models.list()] == ["hibari"]
    assert client.models.retrieve("hibari").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("another")
    assert api.get("/v1/audio/voices").json() == {"voices": [{"id": "heart", "name": "heart", "language": "en-US"}]}


def test_a_sentence_the_library_cannot_read_is_still_spoken(api: httpx.Client) -> None:
    number = api.post(SPEECH, json={"input": f"The number is {'1234567890' * 5}."})
    turkish = api.post(SPEECH, json={"input": "İstanbul is a city."})
    assert (number.status_code, turkish.status_code) == (200, 200)


def test_request_id_is_returned_and_logged(api: httpx.Client, hibari: WorkerProcess) -> None:
    answer = api.post(SPEECH, json={"input": "Masked in the middle."}, headers={"X-Request-ID": "my-own-id"})
    assert answer.headers["x-request-id"] == "my-own-id"
    assert hibari.wait_for("request", request_id="my-own-id")["status"] == "200"
    own = [line for line in hibari.lines if line.get("request_id") == "my-own-id"]
    assert [line["message"] for line in own] == ["accepted", "request"]
    assert own[0]["text"] == "Mask*************dle."


def test_a_request_id_that_could_forge_a_header_is_replaced(api: httpx.Client) -> None:
    assert len(api.get("/ready", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]) == 32


def test_the_description_of_the_api_lists_every_route(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert set(paths) == {
        "/v1/audio/speech", "/v1/models", "/v1/models/{model}", "/v1/audio/voices", "/api/tts", "/health", "/ready",
    }  # fmt: skip
    body = paths["/v1/audio/speech"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) >= {"model", "input", "voice", "response_format", "speed"}
