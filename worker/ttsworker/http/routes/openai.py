"""OpenAI's speech API."""

from typing import Any

from fastapi import APIRouter, Request, Response

from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import ActiveModel, LoadedParts, read_body
from ttsworker.http.speech_response import speak
from ttsworker.speech.request import SpeechJob, SpeechRequest, encoding_of, parse_speech_request

SPEECH_PATH = "/v1/audio/speech"

OPENAI_NAMES = frozenset({"tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"})
"""Model names that existing clients send; each means the one model that this worker serves."""

IGNORED = "X-TTS-Ignored"
"""Header of a response: the parameters that had no effect."""

_AUDIO_TYPES = ("audio/mpeg", "audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm")

AUDIO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The audio.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _AUDIO_TYPES}
        | {"text/event-stream": {"schema": {"type": "string"}}},
    },
    400: {"description": "The request is invalid; the message says what to change."},
    401: {"description": "The key is missing or invalid."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The body is compressed."},
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
    wanted = parse_speech_request(await read_body(request, parts))
    if wanted.model and wanted.model not in OPENAI_NAMES and not parts.failover.knows(wanted.model):
        message = f"unknown model; this worker serves {parts.failover.active.name}"
        raise ApiError(404, "model_not_found", message, param="model")
    speech = await speak(parts, SpeechJob(wanted, encoding_of(wanted), whole=not wanted.stream))
    if wanted.instructions:
        speech.headers[IGNORED] = "instructions"
    return speech


@router.get("/v1/models")
async def list_models(active: ActiveModel) -> dict[str, Any]:
    """List the one model that is served."""
    return {"object": "list", "data": [_model(active.name)]}


@router.get("/v1/models/{model:path}")
async def get_model(model: str, active: ActiveModel) -> dict[str, Any]:
    """Describe the one model that is served."""
    if model != active.name:
        message = f"unknown model; this worker serves {active.name}"
        raise ApiError(404, "model_not_found", message, param="model")
    return _model(model)


@router.get("/v1/audio/models")
async def list_speech_models(active: ActiveModel) -> dict[str, Any]:
    """List the one model that is served, where Open WebUI looks for speech models."""
    return {"models": [{"id": active.name, "name": active.name}]}


@router.get("/v1/audio/voices")
async def list_voices(active: ActiveModel) -> dict[str, Any]:
    """List the voices; the first one is the default."""
    voices = active.engine.voices
    return {"voices": [{"id": voice.name, "name": voice.name, "language": voice.language} for voice in voices]}


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tts-operator"}
