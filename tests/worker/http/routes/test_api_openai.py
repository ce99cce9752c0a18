"""OpenAI's speech API, asked by OpenAI's own client and by plain HTTP."""

import base64
import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import numpy as np
import openai
import pytest
import soxr

from tests.support.judge import SENTENCES, recognise
from tests.support.worker.asking import SPEECH
from tests.support.worker.decoding import MEDIA_TYPES, Samples, assert_same_sound, decode
from tests.support.worker.serving import WorkerProcess
from ttsworker.speech.voices import MARYTTS_VOICE, OPENAI_VOICES

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
FORMATS: tuple[Format, ...] = ("mp3", "opus", "aac", "flac", "wav", "pcm")
TWO_SENTENCES = "The first sentence comes early. The second one follows it."
HEADER_BYTES = 44


class SpeechEvent(openai.BaseModel):
    """An event of `stream_format: sse`; the client has no model of its own for them."""

    type: str
    audio: str | None = None
    usage: dict[str, int] | None = None


@pytest.fixture
def client(hibari: WorkerProcess) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{hibari.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def samples(wav: bytes) -> bytes:
    with wave.open(io.BytesIO(wav)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) == (1, 2, 24_000)
        return bytes(audio.readframes(audio.getnframes()))


def wav_of(samples: Samples, rate: int = 24_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def heard(audio_format: Format, data: bytes) -> Samples:
    """The audio as a player has it, at 24 kHz."""
    if audio_format == "pcm":
        return np.frombuffer(data, "<i2")
    decoded = decode(data)
    assert decoded.codec == {"wav": "pcm_s16le"}.get(audio_format, audio_format)
    at_24_khz: Samples = soxr.resample(decoded.samples[:, 0], decoded.sample_rate, 24_000)
    return at_24_khz


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


def test_everything_optional_may_be_left_out_and_gives_an_mp3(api: httpx.Client) -> None:
    answer = api.post(SPEECH, json={"input": SENTENCES[0]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert recognise(wav_of(heard("mp3", answer.content))) == SENTENCES[0]


@pytest.mark.parametrize("audio_format", FORMATS)
def test_every_format_is_the_same_audio_streamed_to_a_file(
    client: openai.OpenAI, audio_format: Format, tmp_path: Path
) -> None:
    wav = client.audio.speech.create(model="tts-1", voice="heart", input=TWO_SENTENCES, response_format="wav").content
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="heart", input=TWO_SENTENCES, response_format=audio_format
    ) as answer:
        assert answer.headers["content-type"] == MEDIA_TYPES[audio_format]
        assert "content-length" not in answer.headers
        answer.stream_to_file(tmp_path / "speech")
    assert_same_sound(heard(audio_format, (tmp_path / "speech").read_bytes()), np.frombuffer(samples(wav), "<i2"))


@pytest.mark.parametrize("audio_format", FORMATS)
async def test_every_format_is_the_same_audio_made_in_full(hibari: WorkerProcess, audio_format: Format) -> None:
    async with openai.AsyncOpenAI(base_url=f"{hibari.url}/v1", api_key="unused", max_retries=0) as client:
        wav, answer = [
            await client.audio.speech.create(
                model="tts-1", voice="heart", input=SENTENCES[4], response_format=wanted, extra_body={"stream": False}
            )
            for wanted in ("wav", audio_format)
        ]
    assert int(answer.response.headers["content-length"]) == len(answer.content)
    speech = heard(audio_format, answer.content)
    assert_same_sound(speech, np.frombuffer(samples(wav.content), "<i2"))
    assert recognise(wav_of(speech)) == SENTENCES[4]


@pytest.mark.parametrize("audio_format", FORMATS)
def test_events_carry_the_file_and_its_usage(client: openai.OpenAI, audio_format: Format) -> None:
    wav = client.audio.speech.create(model="tts-1", voice="heart", input=TWO_SENTENCES, response_format="wav").content
    speech = {"model": "tts-1", "voice": "heart", "input": TWO_SENTENCES, "response_format": audio_format}
    events = list(
        client.post(
            "/audio/speech",
            body={**speech, "stream_format": "sse"},
            cast_to=SpeechEvent,
            stream=True,
            stream_cls=openai.Stream[SpeechEvent],
        )
    )
    *deltas, done = events
    assert {delta.type for delta in deltas} == {"speech.audio.delta"}
    audio = b"".join(base64.b64decode(delta.audio or "") for delta in deltas)
    original = np.frombuffer(samples(wav), "<i2")
    assert_same_sound(heard(audio_format, audio), original)
    spoken = -(-len(original) * 20 // 24_000)
    assert (done.type, done.audio) == ("speech.audio.done", None)
    assert done.usage == {
        "input_tokens": len(TWO_SENTENCES),
        "output_tokens": spoken,
        "total_tokens": len(TWO_SENTENCES) + spoken,
    }


def test_events_through_the_clients_own_method(client: openai.OpenAI) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="heart", input=TWO_SENTENCES, stream_format="sse"
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert all(line.startswith('data: {"type":"speech.audio.d') for line in lines)
    assert '"speech.audio.done"' in lines[-1]


@pytest.mark.parametrize("channels", [1, 2])
def test_sample_rate_and_channels(client: openai.OpenAI, channels: int) -> None:
    answer = client.audio.speech.create(
        model="tts-1",
        voice="heart",
        input=SENTENCES[2],
        response_format="flac",
        extra_body={"sample_rate": 16_000, "channels": channels},
    )
    decoded = decode(answer.content)
    assert (decoded.sample_rate, decoded.channels) == (16_000, channels)
    for channel in decoded.samples.T:
        assert recognise(wav_of(channel, rate=16_000)) == SENTENCES[2]


@pytest.mark.parametrize(
    "voice", ["heart", {"id": "heart"}, {"name": "heart"}, None, {"id": "heart", "name": None}, {"id": None}]
)
def test_a_voice_is_a_name_or_an_object(api: httpx.Client, voice: object) -> None:
    assert api.post(SPEECH, json={"input": "Hello.", "voice": voice}).status_code == 200


def test_a_voice_object_from_the_client(client: openai.OpenAI) -> None:
    assert client.audio.speech.create(model="tts-1", voice={"id": "heart"}, input="Hello.").content
    with pytest.raises(openai.BadRequestError, match="heart") as error:
        client.audio.speech.create(model="tts-1", voice={"id": "nobody"}, input="Hello.")
    assert error.value.code == "unknown_voice"


def test_instructions_that_have_no_effect_are_reported(client: openai.OpenAI) -> None:
    for instructions, ignored in (("Whisper.", "instructions"), ("", None), (openai.omit, None)):
        answer = client.audio.speech.create(model="tts-1", voice="heart", input="Hello.", instructions=instructions)
        assert answer.response.headers.get("x-tts-ignored") == ignored


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
    assert client.models.retrieve("tts-1").id == "tts-1"
    voices = api.get("/v1/audio/voices").json()
    assert voices["voices"] == [{"id": "heart", "name": "heart", "language": "en-US"}]
    assert voices["aliases"] == dict.fromkeys([*OPENAI_VOICES, MARYTTS_VOICE], "heart")


def test_open_webui_finds_models_and_voices_and_speaks_with_them(api: httpx.Client) -> None:
    """Its requests and what it takes from the answers, as in its routers/audio.py."""
    models = api.get("/v1/audio/models").json().get("models", [])
    voices = {voice["id"]: voice["name"] for voice in api.get("/v1/audio/voices").json().get("voices", [])}
    [model], [voice] = [model["id"] for model in models], voices
    answer = api.post(SPEECH, json={"input": "Hello from the chat.", "model": model, "voice": voice})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")


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
        "/v1/audio/speech", "/v1/models", "/v1/models/{model}", "/v1/audio/models", "/v1/audio/voices",
        "/v1/audio/cache", "/api/tts", "/details", "/locales", "/voices", "/process", "/health", "/ready",
    }  # fmt: skip
    body = paths["/v1/audio/speech"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) >= {"model", "input", "voice", "response_format", "speed"}
    for path, methods in paths.items():
        for method, about in methods.items():
            assert "422" not in about["responses"], (method, path)  # the worker answers 400
            error = about["responses"]["default"]["content"]["application/json"]["schema"]["properties"]["error"]
            assert set(error["properties"]) == {"message", "type", "param", "code"}


def test_the_description_of_the_api_knows_every_header_of_an_answer(api: httpx.Client) -> None:
    about = api.get("/openapi.json").json()["paths"][SPEECH]["post"]["responses"]["200"]["headers"]
    answer = api.post(SPEECH, json={"input": "Hello 日.", "foo": 1})
    own = {name for name in answer.headers if name.startswith("x-")}
    assert own == {name.lower() for name in about}
