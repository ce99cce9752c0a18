"""What may be asked for: the body of POST /v1/audio/speech and the sentences it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ttsworker.errors import ApiError
from ttsworker.validation import check_text, refuse_repeated_names

__all__ = ["check_text"]  # worker.py takes it from here

AudioFormat = Literal["wav", "pcm"]
AUDIO_FORMATS: tuple[str, ...] = get_args(AudioFormat)

MIN_SPEED, MAX_SPEED = 0.25, 4.0


@dataclass(frozen=True)
class Voice:
    """A voice of the model; the language is a BCP 47 tag where the model tells it."""

    name: str
    language: str


@dataclass(frozen=True)
class Utterance:
    """One sentence and everything that decides how it sounds: equal utterances give equal audio."""

    text: str
    voice: str
    language: str | None = None
    speed: float = 1.0
    seed: int = 0


class SpeechRequest(BaseModel):
    """The body of POST /v1/audio/speech: OpenAI's, and `stream` and `language` of our own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    input: str = Field(description="The text to speak.")
    model: str | None = Field(None, description="The served model's name, or one of OpenAI's; there is one anyway.")
    voice: str | None = Field(None, description="A name from GET /v1/audio/voices; the model's first by default.")
    response_format: AudioFormat = Field("wav", description="wav, or pcm: 16 bit little endian, 24 kHz, mono.")
    speed: float = Field(1.0, ge=MIN_SPEED, le=MAX_SPEED, description="2.0 speaks twice as fast.")
    stream_format: Literal["audio"] = Field("audio", description="Events (sse) are not offered yet.")
    stream: bool = Field(default=True, description="False waits for all the audio, so that its length is known.")
    language: str | None = Field(None, description="For models that speak several.")
    instructions: str | None = Field(None, description="Accepted and without effect, as with OpenAI's tts-1.")


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


def choose_voice(name: str | None, voices: Sequence[Voice]) -> Voice:
    """Return the voice of that name, or the first one for no name; raises ApiError 400 with the known names."""
    if not name or name == "default":
        return voices[0]
    for voice in voices:
        if voice.name == name:
            return voice
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
