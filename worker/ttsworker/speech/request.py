"""What may be asked for: the body of POST /v1/audio/speech and the sentences it becomes."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from ttsworker.engines import Utterance, Voice
from ttsworker.http.errors import ApiError
from ttsworker.speech.validation import refuse_repeated_names
from ttsworker.text import normalise, split_sentences

AudioFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
AUDIO_FORMATS: tuple[str, ...] = get_args(AudioFormat)

MIN_SPEED, MAX_SPEED = 0.25, 4.0
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8000, 48_000


def _voice_name(value: object) -> object:
    """Return the name in {"id": name} or {"name": name}: OpenAI's way to ask for a voice of one's own."""
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
    model: str | None = Field(None, description="The served model's name, or one of OpenAI's; there is one anyway.")
    voice: VoiceName = Field(None, description="A name from GET /v1/audio/voices; the model's first by default.")
    response_format: AudioFormat = Field("mp3", description="pcm is 16 bit little endian without a header.")
    speed: float = Field(1.0, ge=MIN_SPEED, le=MAX_SPEED, description="2.0 speaks twice as fast.")
    stream_format: Literal["audio", "sse"] = Field("audio", description="sse: the audio in server-sent events.")
    instructions: str | None = Field(None, description="How to speak. No effect yet: X-TTS-Ignored says so.")
    sample_rate: int | None = Field(
        None, ge=MIN_SAMPLE_RATE, le=MAX_SAMPLE_RATE, description="The model's by default; of pcm 24000."
    )
    channels: Literal[1, 2] = Field(1, description="2 has the same in both.")
    stream: bool = Field(default=True, description="False waits for all the audio, so that its length is known.")
    language: str | None = Field(None, description="For models that speak several.")


def parse_speech_request(body: bytes) -> SpeechRequest:
    """Read the JSON body; raises ApiError 400 that names the first wrong field."""
    refuse_repeated_names(body)
    try:
        return SpeechRequest.model_validate_json(body)
    except ValidationError as error:
        problem: Any = error.errors(include_url=False)[0]
    if problem["type"] == "json_invalid":
        raise ApiError(400, "invalid_json", f"the body is not valid JSON: {problem['ctx']['error']}")
    param = ".".join(str(part) for part in problem["loc"])[:64] or None
    if problem["type"] == "extra_forbidden":
        message = f"there is no parameter {param!r}; known are {', '.join(SpeechRequest.model_fields)}"
        raise ApiError(400, "unknown_parameter", message, param=param)
    message = f"{param}: {problem['msg']}" if param else f"the body: {problem['msg']}"
    code = "unsupported_format" if param in {"response_format", "stream_format"} else "invalid_value"
    raise ApiError(400, code, message, param=param)


def utterances_of(
    text: str,
    voices: Sequence[Voice],
    languages: Sequence[str],
    *,
    max_characters: int,
    voice: str | None = None,
    language: str | None = None,
    speed: float = 1.0,
    param: str = "input",
) -> list[Utterance]:
    """Return the sentences of a checked text, for a model of these voices and languages; raises ApiError 400.

    None of them is longer than `max_characters`.
    """
    chosen = choose_voice(voice, voices)
    spoken = choose_language(language, chosen, languages)
    sentences = split_sentences(normalise(text), spoken or chosen.language, max_characters)
    if not sentences:
        raise ApiError(400, "nothing_to_speak", "the text has nothing in it that can be spoken", param=param)
    return [Utterance(sentence, chosen.name, spoken, speed) for sentence in sentences]


def choose_voice(name: str | None, voices: Sequence[Voice]) -> Voice:
    """Return the voice of that name, or the first one for no name or an unknown `default`; raises ApiError 400."""
    for voice in voices:
        if voice.name == name:
            return voice
    if not name or name == "default":
        return voices[0]
    raise ApiError(400, "unknown_voice", f"there is no such voice; known are {_some(voices)}", param="voice")


def choose_language(language: str | None, voice: Voice, languages: Sequence[str]) -> str | None:
    """Return the language to speak, None where the model has but one; raises ApiError 400 with the known ones."""
    if not language or language == voice.language:
        return language if languages else None
    if language in languages:
        return language
    known = ", ".join(languages) or voice.language
    raise ApiError(400, "unknown_language", f"the model does not speak it; known are {known}", param="language")


def _some(voices: Sequence[Voice], most: int = 20) -> str:
    more = f" and {len(voices) - most} more, see /v1/audio/voices" if len(voices) > most else ""
    return ", ".join(voice.name for voice in voices[:most]) + more
