"""The part of MaryTTS's API that Coqui's tts-server has, for clients such as Home Assistant's."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import ActiveModel, LoadedParts, read_body
from ttsworker.http.routes.coqui import speak_wav
from ttsworker.http.routes.fields import read_form, read_query
from ttsworker.http.routes.openai import AUDIO
from ttsworker.speech.parts import Parts

SPEECH_PATH = "/process"

_FORM = "application/x-www-form-urlencoded"
_NAMES = ("INPUT_TEXT", "VOICE", "LOCALE")
_QUERY: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": name == "INPUT_TEXT", "schema": {"type": "string"}} for name in _NAMES
]
_FIELDS = {
    "type": "object",
    "required": ["INPUT_TEXT"],
    "properties": {name: {"type": "string"} for name in _NAMES},
}
_BODY = {"required": True, "content": {_FORM: {"schema": _FIELDS}}}

router = APIRouter(tags=["MaryTTS"])


@router.get("/locales", response_class=HTMLResponse)
@router.head("/locales", include_in_schema=False)
async def list_locales(model: ActiveModel) -> HTMLResponse:
    """List the languages, one a line."""
    languages = model.engine.languages or [voice.language for voice in model.engine.voices]
    return _plain("\n".join(dict.fromkeys(languages)))


@router.get("/voices", response_class=HTMLResponse)
@router.head("/voices", include_in_schema=False)
async def list_voices(model: ActiveModel) -> HTMLResponse:
    """List the voices, one a line: name, language and gender, which is unknown (u)."""
    return _plain("".join(f"{voice.name} {voice.language} u\n" for voice in model.engine.voices))


@router.get(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"parameters": _QUERY})
async def process_query(request: Request, parts: LoadedParts) -> Response:
    """Speak the query's INPUT_TEXT; the answer is a whole WAV file."""
    parts.admission.check_open()
    return await _process(await read_query(request, parts), parts)


@router.post(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"requestBody": _BODY})
async def process_form(request: Request, parts: LoadedParts) -> Response:
    """Speak the form's INPUT_TEXT; the answer is a whole WAV file."""
    parts.admission.check_open()
    # As in Coqui's server, the body is a form, whatever its Content-Type says, and the query is ignored.
    return await _process(await read_form(_FORM, await read_body(request, parts), parts), parts)


async def _process(values: dict[str, str], parts: Parts) -> Response:
    voice = values.get("VOICE")
    if voice and voice not in {known.name for known in parts.failover.active.engine.voices}:
        raise ApiError(400, "unknown_voice", "unknown voice; GET /voices lists the voices", param="VOICE")
    return await speak_wav(
        parts,
        text=values.get("INPUT_TEXT", ""),
        voice=voice,
        language=values.get("LOCALE"),
        spelled={"text": "INPUT_TEXT", "voice": "VOICE", "language": "LOCALE"},
    )


def _plain(text: str) -> HTMLResponse:
    """Return plain text with tts-server's content type, which is HTML; escape it, so that nothing becomes markup."""
    return HTMLResponse(escape(text))
