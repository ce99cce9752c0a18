"""The speech route of Coqui's own tts-server, as of coqui-tts 0.28. docs/coqui-api.md lists the differences."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from ttsworker.encoding import Encoding
from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import LoadedParts, audio_owner, read_body
from ttsworker.http.routes.fields import read_form, read_query
from ttsworker.http.routes.openai import AUDIO, PARTIAL_AUDIO
from ttsworker.http.speech_response import speak
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.fields import unknown_fields
from ttsworker.speech.parts import Parts
from ttsworker.speech.request import SpeechJob, SpeechRequest

SPEECH_PATH = "/api/tts"

DEFAULT_LANGUAGE = "en"
"""The language that tts-server uses when the request names none and the model has several."""

_NAMES = ("text", "speaker_id", "language_id", "style_wav", "speaker_wav")
_PARAMETERS: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": name == "text", "schema": {"type": "string"}} for name in _NAMES[:3]
]

router = APIRouter(tags=["Coqui"])


@router.get(SPEECH_PATH, response_class=Response, responses=PARTIAL_AUDIO, openapi_extra={"parameters": _PARAMETERS})
async def speak_query(request: Request, parts: LoadedParts) -> Response:
    """Speak a text given in the query or a header; the answer is a whole WAV file."""
    parts.admission.check_open()
    query = await read_query(request, parts)
    return await _speak(_headers(request, query), parts, audio_owner(request, parts))


@router.post(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"parameters": _PARAMETERS})
async def speak_form(request: Request, parts: LoadedParts) -> Response:
    """Speak a text given in a form, the query or a header; the answer is a whole WAV file."""
    parts.admission.check_open()
    body = await read_body(request, parts)
    form = await read_form(request.headers.get("content-type", ""), body, parts)
    values = _headers(request, form | await read_query(request, parts))
    return await _speak(values, parts, audio_owner(request, parts))


async def speak_wav(
    parts: Parts,
    *,
    text: str,
    voice: str | None,
    language: str | None,
    spelled: dict[str, str],
    ignored: Sequence[str],
    owner: str,
) -> Response:
    """Answer with a whole WAV file; errors use this API's names of `text`, `voice` and `language`."""
    languages = parts.failover.active.engine.languages
    if len(languages) <= 1:
        language = None  # as in Coqui's server, the language counts only if the model has several
    elif not language:
        language = DEFAULT_LANGUAGE if DEFAULT_LANGUAGE in languages else None
    wanted = SpeechRequest(input=text, voice=voice, language=language)
    try:
        job = SpeechJob(wanted, Encoding("wav"), whole=True, param=spelled["text"], ignored=ignored, owner=owner)
        return await speak(parts, job)
    except InvalidRequest as error:
        error.param = spelled.get(error.param or "", error.param)
        raise


async def _speak(values: dict[str, str], parts: Parts, owner: str) -> Response:
    for name in ("style_wav", "speaker_wav"):
        if values.get(name):
            raise ApiError(400, "unsupported_parameter", f"this model does not take {name}: leave it out", param=name)
    return await speak_wav(
        parts,
        text=values.get("text", ""),
        # As in Coqui's server, the speaker counts only if the model has several.
        voice=values.get("speaker_id") if len(parts.failover.active.engine.voices) > 1 else None,
        language=values.get("language_id"),
        spelled={"text": "text", "voice": "speaker_id", "language": "language_id"},
        ignored=unknown_fields(
            (name for name, value in values.items() if value), _NAMES, parts.settings.unknown_fields
        ),
        owner=owner,
    )


def _headers(request: Request, values: dict[str, str]) -> dict[str, str]:
    """Override values by headers, whose names have a hyphen; join repeated headers with a comma, as WSGI does."""
    headers = {name: ",".join(request.headers.getlist(name.replace("_", "-"))) for name in _NAMES}
    return values | {name: value for name, value in headers.items() if value}
