"""The part of MaryTTS's API that Coqui's tts-server has, for clients such as Home Assistant's."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from ttsworker.http.routes.bodies import ActiveModel, LoadedParts, audio_owner, read_body
from ttsworker.http.routes.coqui import speak_wav
from ttsworker.http.routes.fields import read_form, read_query
from ttsworker.http.routes.openai import AUDIO, PARTIAL_AUDIO
from ttsworker.speech.fields import unknown_fields
from ttsworker.speech.languages import spoken_languages
from ttsworker.speech.parts import Parts

SPEECH_PATH = "/process"

_FORM = "application/x-www-form-urlencoded"
_NAMES = ("INPUT_TEXT", "VOICE", "LOCALE")
_FIXED = {"INPUT_TYPE": ("TEXT",), "OUTPUT_TYPE": ("AUDIO",), "AUDIO": ("WAVE", "WAVE_FILE")}
"""What MaryTTS's clients send besides, with the only values that this server has."""

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
async def list_locales(model: ActiveModel) -> HTMLResponse:
    """List the languages, one a line."""
    return _plain("\n".join(spoken_languages(model.engine)))


@router.get("/voices", response_class=HTMLResponse)
async def list_voices(model: ActiveModel) -> HTMLResponse:
    """List the voices, one a line: name, language and gender, which is unknown (u)."""
    return _plain("".join(f"{voice.name} {voice.language} u\n" for voice in model.engine.voices))


@router.get(SPEECH_PATH, response_class=Response, responses=PARTIAL_AUDIO, openapi_extra={"parameters": _QUERY})
async def process_query(request: Request, parts: LoadedParts) -> Response:
    """Speak the query's INPUT_TEXT; the answer is a whole WAV file."""
    parts.admission.check_open()
    return await _process(await read_query(request, parts), parts, audio_owner(request, parts))


@router.post(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"requestBody": _BODY})
async def process_form(request: Request, parts: LoadedParts) -> Response:
    """Speak the form's INPUT_TEXT; the answer is a whole WAV file."""
    parts.admission.check_open()
    # As in Coqui's server, the body is a form, whatever its Content-Type says, and the query is ignored.
    form = await read_form(_FORM, await read_body(request, parts), parts)
    return await _process(form, parts, audio_owner(request, parts))


async def _process(values: dict[str, str], parts: Parts, owner: str) -> Response:
    others = (name for name, value in values.items() if value and value not in _FIXED.get(name, ()))
    return await speak_wav(
        parts,
        text=values.get("INPUT_TEXT", ""),
        voice=values.get("VOICE"),
        language=values.get("LOCALE"),
        spelled={"text": "INPUT_TEXT", "voice": "VOICE", "language": "LOCALE"},
        ignored=unknown_fields(others, _NAMES, parts.settings.unknown_fields),
        owner=owner,
    )


def _plain(text: str) -> HTMLResponse:
    """Return plain text with tts-server's content type, which is HTML; escape it, so that nothing becomes markup."""
    return HTMLResponse(escape(text))
