"""OpenAI's speech API."""

import re
from typing import Any

from fastapi import APIRouter, Request, Response

from ttsworker.http.access.origins import media_type
from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import ActiveModel, LoadedParts, audio_owner, read_body, unknown_model
from ttsworker.http.speech_response import speak
from ttsworker.speech.parts import Parts
from ttsworker.speech.request import SpeechJob, SpeechRequest, encoding_of, parse_speech_request
from ttsworker.speech.voices import spoken_aliases

SPEECH_PATH = "/v1/audio/speech"

_OPENAI_MODEL = re.compile(r"(openai/)?(tts-1|tts-1-hd|gpt-4o-mini-tts)(-\d{4}(-\d\d-\d\d)?)?", re.ASCII)
"""OpenAI's speech models and their dated snapshots, also as routers write them; each means the one that is served."""

_AUDIO_TYPES = ("audio/mpeg", "audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm")

AUDIO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The audio.",
        "headers": {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in {
                "X-TTS-Model": "The model that spoke.",
                "X-TTS-Voice": "The voice that spoke.",
                "X-TTS-Cached-Sentences": "How many of the text's sentences came from the cache, as 1/3.",
                "X-TTS-Ignored": "Fields of the request that had no effect; absent when there are none.",
                "X-TTS-Skipped": "How many characters the model could not speak; absent when it spoke the whole text.",
                "X-Request-ID": "The request's id, which the log has.",
            }.items()
        },
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _AUDIO_TYPES}
        | {"text/event-stream": {"schema": {"type": "string"}}},
    },
    400: {"description": "The request is invalid; the message says what to change."},
    401: {"description": "The key is missing or invalid."},
    403: {"description": "A page of another site sent the request, and the worker has no keys."},
    404: {"description": "The model is unknown."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is compressed, or it is text/plain and the worker has no keys."},
    429: {"description": "Too many requests, of this client or in total; try again after Retry-After seconds."},
    500: {"description": "The engine failed."},
    503: {"description": "The worker is starting or shutting down; try again after Retry-After seconds."},
    504: {"description": "No audio within the request timeout."},
}

PARTIAL_AUDIO = AUDIO | {
    206: {"description": "The part of the audio that Range asks for."},
    416: {"description": "Range begins after the end of the audio."},
}
"""Of a GET, whose audio is always complete."""

_BODY = {"required": True, "content": {"application/json": {"schema": SpeechRequest.model_json_schema()}}}

router = APIRouter(tags=["OpenAI"])


@router.post(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"requestBody": _BODY})
async def create_speech(request: Request, parts: LoadedParts) -> Response:
    """Speak a text; the worker sends the audio while it synthesizes."""
    parts.admission.check_open()
    if parts.settings.api_keys_file is None and media_type(request.headers.get("content-type", "")) == "text/plain":
        # Any page's form can send JSON as text/plain to any site; of the types that forms have only this one can.
        raise ApiError(415, "unsupported_type", "the body is text/plain: send it as application/json")
    wanted, ignored = parse_speech_request(await read_body(request, parts), parts.settings.unknown_fields)
    if wanted.model:
        _check_model(wanted.model, parts)
    owner = audio_owner(request, parts)
    encoding = encoding_of(wanted)
    return await speak(parts, SpeechJob(wanted, encoding, whole=not wanted.stream, ignored=ignored, owner=owner))


@router.get("/v1/models")
async def list_models(active: ActiveModel) -> dict[str, Any]:
    """List the one model that is served."""
    return {"object": "list", "data": [_model(active.name)]}


@router.get("/v1/models/{model:path}")
async def get_model(model: str, parts: LoadedParts) -> dict[str, Any]:
    """Describe the one model that is served, by any name that a request for speech may use."""
    _check_model(model, parts)
    return _model(model)


@router.get("/v1/audio/models")
async def list_speech_models(active: ActiveModel) -> dict[str, Any]:
    """List the one model that is served, where Open WebUI looks for speech models."""
    return {"models": [{"id": active.name, "name": active.name}]}


@router.get("/v1/audio/voices")
async def list_voices(active: ActiveModel, parts: LoadedParts) -> dict[str, Any]:
    """List the voices, and the other names that speak with one of them."""
    voices = active.engine.voices
    return {
        "voices": [{"id": voice.name, "name": voice.name, "language": voice.language} for voice in voices],
        "aliases": spoken_aliases(voices, parts.settings.voice_aliases),
    }


def _check_model(name: str, parts: Parts) -> None:
    if not _OPENAI_MODEL.fullmatch(name) and not parts.failover.knows(name):
        raise unknown_model(parts)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tts-operator"}
