"""What a client may request: the body of POST /v1/audio/speech, and how to deliver its audio."""

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED, UnknownFields
from ttsworker.encoding import AudioFormat, Encoding
from ttsworker.speech.errors import LONGEST_NAME, InvalidCode, InvalidRequest
from ttsworker.speech.fields import unknown_fields
from ttsworker.speech.validation import refuse_many_values, refuse_repeated_names

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8000, 48_000


def _voice_name(value: object) -> object:
    """Return the name in {"id": name} or {"name": name}: OpenAI's form for custom voices."""
    if not isinstance(value, dict):
        return value
    given = {name: each for name, each in value.items() if each is not None}
    if value and len(given) <= 1 and set(value) <= {"id", "name"}:
        return next(iter(given.values()), None)
    raise ValueError('a voice is a name, or an object with "id" or "name" and nothing else')


_VOICE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        *(
            {
                "type": "object",
                "properties": {key: {"anyOf": [{"type": "string"}, {"type": "null"}]}, other: {"type": "null"}},
                "minProperties": 1,
                "additionalProperties": False,
            }
            for key, other in (("id", "name"), ("name", "id"))
        ),
        {"type": "null"},
    ]
}

VoiceName = Annotated[str | None, BeforeValidator(_voice_name), WithJsonSchema(_VOICE_SCHEMA)]


def _describe(schema: dict[str, Any]) -> None:
    """Say in a JSON schema that a field may be null, and that fields of other servers do no harm."""
    del schema["additionalProperties"]
    for name, field in schema["properties"].items():
        if name not in schema["required"] and {"type": "null"} not in field.get("anyOf", []):
            about = {key: field.pop(key) for key in ("default", "description", "title") if key in field}
            schema["properties"][name] = {"anyOf": [field, {"type": "null"}], **about}


class SpeechRequest(BaseModel):
    """The body of POST /v1/audio/speech: OpenAI's.

    `sample_rate`, `channels`, `stream`, `on_unspeakable`, `language`, `markup`, `tags` and `strict` are our own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, json_schema_extra=_describe)

    input: str = Field(description="The text to speak.")
    model: str | None = Field(None, description="Name of the served model, or one of OpenAI's names for it.")
    voice: VoiceName = Field(
        None, description="A voice or an alias from GET /v1/audio/voices; by default the model's default voice."
    )
    response_format: AudioFormat = Field("mp3", description="pcm is 16 bit little endian without a header.")
    speed: float = Field(1.0, ge=MIN_SPEED, le=MAX_SPEED, description="2.0 speaks twice as fast.")
    stream_format: Literal["audio", "sse"] = Field("audio", description="sse sends the audio in server-sent events.")
    instructions: str | None = Field(None, description="Ignored; the answer then has the header X-TTS-Ignored.")
    sample_rate: int | None = Field(
        None, ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE, description="By default the model's own; 24000 for pcm."
    )
    channels: Literal[1, 2] = Field(1, description="2 repeats the audio in both channels.")
    stream: bool = Field(default=True, description="false sends a complete answer with its length.")
    on_unspeakable: Literal["skip", "reject"] | None = Field(
        None, description="What to do about characters that the model cannot speak; by default the worker's setting."
    )
    language: str | None = Field(None, description="Language of the text, for models that speak several.")
    markup: Literal["auto", "plain", "markdown", "ssml"] | None = Field(
        None, description="What the text is written in; auto is Markdown where the text has marks of it, else plain."
    )
    tags: Literal["reject", "strip"] | None = Field(None, description="Whether tags of HTML are refused or removed.")
    strict: bool = Field(default=False, description="true refuses a request that has other fields than these.")

    @model_validator(mode="before")
    @classmethod
    def _given_fields(cls, values: object, info: ValidationInfo) -> object:
        """Drop the fields that are null, and the unknown ones, whose names go into the list that is the context."""
        if not isinstance(values, dict):
            return values
        given = {name: value for name, value in values.items() if value is not None}
        if info.context is None:
            return given
        info.context.extend(name for name in given if name not in cls.model_fields)
        return {name: value for name, value in given.items() if name in cls.model_fields}


@dataclass(frozen=True)
class SpeechJob:
    """A request, and how to deliver its audio."""

    request: SpeechRequest
    encoding: Encoding
    whole: bool
    """Whether the answer is sent in one go, with its length, once all the audio is there."""
    param: str = "input"
    """What the API that the client uses calls the text; error messages name it."""
    ignored: Sequence[str] = ()
    """Names of the request's fields that have no effect."""
    owner: str = ""
    """The client that alone may use the audio again; "" is everybody."""


def encoding_of(request: SpeechRequest) -> Encoding:
    """Return the encoding that a request asks for."""
    return Encoding(
        request.response_format,
        request.sample_rate,
        request.channels,
        events=request.stream_format == "sse",
        characters=len(request.input),
    )


def parse_speech_request(
    body: bytes, rule: UnknownFields = UnknownFields.IGNORE
) -> tuple[SpeechRequest, Sequence[str]]:
    """Read the JSON body, also after a byte order mark; return the request, and the names of fields without effect.

    Raises InvalidRequest that names the first wrong field.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    refuse_many_values(body)
    refuse_repeated_names(body)
    unknown: list[str] = []
    try:
        request = SpeechRequest.model_validate_json(body, context=unknown)
    except ValidationError as error:
        raise _invalid(error) from error
    rule = UnknownFields.REJECT if request.strict else rule
    ignored = unknown_fields(unknown, SpeechRequest.model_fields, rule)
    return request, (*ignored, "instructions") if request.instructions else ignored


def _invalid(error: ValidationError) -> InvalidRequest:
    problem: Any = error.errors(include_url=False)[0]
    if problem["type"] == "json_invalid":
        return InvalidRequest("invalid_json", f"the body is not valid JSON: {problem['ctx']['error']}")
    param = ".".join(str(part) for part in problem["loc"])[:LONGEST_NAME] or None
    message = f"{param}: {problem['msg']}" if param else f"the body: {problem['msg']}"
    code: InvalidCode = "unsupported_format" if param in {"response_format", "stream_format"} else "invalid_value"
    return InvalidRequest(code, message, param=param)
