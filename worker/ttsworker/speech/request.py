"""What a client may request: the body of POST /v1/audio/speech, and how to deliver its audio."""

import codecs
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED
from ttsworker.encoding import AudioFormat, Encoding
from ttsworker.speech.errors import InvalidCode, InvalidRequest
from ttsworker.speech.validation import refuse_many_values, refuse_repeated_names

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8000, 48_000


def _voice_name(value: object) -> object:
    """Return the name in {"id": name} or {"name": name}: OpenAI's form for custom voices."""
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and set(value) <= {"id", "name"}:
        return next(iter(value.values()))
    raise ValueError('a voice is a name, or an object with "id" or "name" and nothing else')


_VOICE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        *(
            {
                "type": "object",
                "properties": {key: {"type": "string"}},
                "required": [key],
                "additionalProperties": False,
            }
            for key in ("id", "name")
        ),
        {"type": "null"},
    ]
}

VoiceName = Annotated[str | None, BeforeValidator(_voice_name), WithJsonSchema(_VOICE_SCHEMA)]


class SpeechRequest(BaseModel):
    """The body of POST /v1/audio/speech: OpenAI's; `sample_rate`, `channels`, `stream`, `language` are our own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    input: str = Field(description="The text to speak.")
    model: str | None = Field(None, description="Name of the served model, or one of OpenAI's names for it.")
    voice: VoiceName = Field(None, description="A name from GET /v1/audio/voices; by default the model's first voice.")
    response_format: AudioFormat = Field("mp3", description="pcm is 16 bit little endian without a header.")
    speed: float = Field(1.0, ge=MIN_SPEED, le=MAX_SPEED, description="2.0 speaks twice as fast.")
    stream_format: Literal["audio", "sse"] = Field("audio", description="sse sends the audio in server-sent events.")
    instructions: str | None = Field(None, description="Ignored; the answer then has the header X-TTS-Ignored.")
    sample_rate: int | None = Field(
        None, ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE, description="By default the model's own; 24000 for pcm."
    )
    channels: Literal[1, 2] = Field(1, description="2 repeats the audio in both channels.")
    stream: bool = Field(default=True, description="false sends a complete answer with its length.")
    language: str | None = Field(None, description="Language of the text, for models that speak several.")


@dataclass(frozen=True)
class SpeechJob:
    """A request, and how to deliver its audio."""

    request: SpeechRequest
    encoding: Encoding
    whole: bool
    """Whether the answer is sent in one go, with its length, once all the audio is there."""
    param: str = "input"
    """What the API that the client uses calls the text; error messages name it."""


def encoding_of(request: SpeechRequest) -> Encoding:
    """Return the encoding that a request asks for."""
    return Encoding(
        request.response_format,
        request.sample_rate,
        request.channels,
        events=request.stream_format == "sse",
        characters=len(request.input),
    )


def parse_speech_request(body: bytes) -> SpeechRequest:
    """Read the JSON body, also after a byte order mark; raises InvalidRequest that names the first wrong field."""
    body = body.removeprefix(codecs.BOM_UTF8)
    refuse_many_values(body)
    refuse_repeated_names(body)
    try:
        return SpeechRequest.model_validate_json(body)
    except ValidationError as error:
        problem: Any = error.errors(include_url=False)[0]
    if problem["type"] == "json_invalid":
        raise InvalidRequest("invalid_json", f"the body is not valid JSON: {problem['ctx']['error']}")
    param = ".".join(str(part) for part in problem["loc"])[:64] or None
    if problem["type"] == "extra_forbidden":
        message = f"unknown parameter {param!r}; the parameters are {', '.join(SpeechRequest.model_fields)}"
        raise InvalidRequest("unknown_parameter", message, param=param)
    message = f"{param}: {problem['msg']}" if param else f"the body: {problem['msg']}"
    code: InvalidCode = "unsupported_format" if param in {"response_format", "stream_format"} else "invalid_value"
    raise InvalidRequest(code, message, param=param)
