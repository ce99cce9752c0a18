"""The API of Coqui's own tts-server, as of coqui-tts 0.28."""

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from ttsworker.encoding import Encoding
from ttsworker.errors import ApiError
from ttsworker.requests import SpeechRequest
from ttsworker.routes.bodies import LoadedWorker, read_body
from ttsworker.routes.openai import AUDIO
from ttsworker.speaking import Wish, speak
from ttsworker.worker import Worker

SPEECH_PATH = "/api/tts"

_NAMES = ("text", "speaker_id", "language_id", "style_wav", "speaker_wav")
_PARAMETERS: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": name == "text", "schema": {"type": "string"}} for name in _NAMES[:3]
]

router = APIRouter(tags=["Coqui"])


@router.get(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"parameters": _PARAMETERS})
async def speak_query(request: Request, worker: LoadedWorker) -> Response:
    """Speak a text given in the query or a header; the answer is a whole WAV file."""
    return await _speak(request, worker)


@router.post(SPEECH_PATH, response_class=Response, responses=AUDIO, openapi_extra={"parameters": _PARAMETERS})
async def speak_form(request: Request, worker: LoadedWorker) -> Response:
    """Speak a text given in a form, the query or a header; the answer is a whole WAV file."""
    return await _speak(request, worker)


async def _speak(request: Request, worker: Worker) -> Response:
    worker.admission.check_open()
    values = await _values(request, worker.settings.max_text_length)
    for name in ("style_wav", "speaker_wav"):
        if values.get(name):
            raise ApiError(400, "unsupported_parameter", f"this model does not take {name}: leave it out", param=name)
    wanted = SpeechRequest(
        input=values.get("text", ""), voice=_voice(values, worker), language=_language(values, worker)
    )
    return await speak(worker, Wish(wanted, Encoding("wav"), whole=True, param="text"))


def _voice(values: Mapping[str, str], worker: Worker) -> str | None:
    """As in Coqui's server, the speaker counts only where the model has several."""
    return values.get("speaker_id") if len(worker.engine.voices) > 1 else None


def _language(values: Mapping[str, str], worker: Worker) -> str | None:
    """As in Coqui's server, the language counts only where the model has several."""
    return values.get("language_id") if len(worker.engine.languages) > 1 else None


async def _values(request: Request, max_text_length: int) -> dict[str, str]:
    """Return the parameters: a header wins over the query, and that over the form."""
    values = _form(request.headers.get("content-type", ""), await read_body(request, max_text_length))
    values |= dict(request.query_params)
    headers = {name: request.headers.get(name.replace("_", "-")) for name in _NAMES}
    return values | {name: value for name, value in headers.items() if value}


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """Read a form in either of its encodings; any other body is not looked at, as in Coqui's server."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
        if kind == "multipart/form-data":
            return _multipart(content_type, body)
    except ValueError as error:  # of which UnicodeDecodeError is one
        raise ApiError(400, "invalid_form", f"the form cannot be read: {error}") from error
    return {}


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not form.is_multipart():
        raise ValueError("it is not multipart/form-data with its boundary")
    fields = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        fields[str(name)] = content.decode() if isinstance(content, bytes) else ""
    return fields
