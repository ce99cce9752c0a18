"""From a request to the sentences that a model speaks, with the audio of those that are cached."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ttsworker.engines import Utterance, Voice
from ttsworker.models.loaded import LoadedModel
from ttsworker.scheduling.stream import Sentence
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.parts import Parts
from ttsworker.speech.request import SpeechJob, SpeechRequest
from ttsworker.speech.validation import check_text
from ttsworker.text import split_sentences, spoken_form


@dataclass(frozen=True)
class PreparedSpeech:
    """A request as one model speaks it: at least one sentence."""

    model: LoadedModel
    sentences: Sequence[Sentence]

    @property
    def cached(self) -> int:
        """How many sentences need no synthesis."""
        return sum(sentence.audio is not None for sentence in self.sentences)


async def prepare(parts: Parts, job: SpeechJob) -> PreparedSpeech:
    """Prepare a request for the active model; raises InvalidRequest."""
    while True:
        model = parts.failover.active
        keyed = await keyed_utterances(parts, model, job.request, param=job.param)
        audio = await parts.cache.get_many([key for key, _ in keyed])
        if model is parts.failover.active:  # otherwise another model has become active meanwhile
            utterances = (utterance for _, utterance in keyed)
            return PreparedSpeech(model, [Sentence(*pair) for pair in zip(utterances, audio, strict=True)])


async def keyed_utterances(
    parts: Parts, model: LoadedModel, request: SpeechRequest, *, param: str = "input"
) -> list[tuple[str, Utterance]]:
    """Return the sentences of a request, each with its cache key, as the model speaks them; raises InvalidRequest.

    A fallback does not know the first choice's voices: it speaks with its own.
    """
    unknown = parts.failover.on_fallback and request.voice not in {voice.name for voice in model.engine.voices}
    if unknown:
        request = request.model_copy(update={"voice": None, "language": None})
    call = partial(_keyed_utterances, model, request, parts.settings.max_text_length, param)
    return await parts.compute(len(request.input), call)


def _keyed_utterances(
    model: LoadedModel, request: SpeechRequest, max_text_length: int, param: str
) -> list[tuple[str, Utterance]]:
    utterances = utterances_of(
        check_text(request.input, max_text_length, param=param),
        model.engine.voices,
        model.engine.languages,
        max_characters=model.engine.max_characters,
        voice=request.voice,
        language=request.language,
        speed=request.speed,
        param=param,
    )
    return [(model.key(utterance), utterance) for utterance in utterances]


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
    """Return the sentences of a checked text, for a model with these voices and languages; raises InvalidRequest.

    None of them is longer than `max_characters`.
    """
    chosen = choose_voice(voice, voices)
    spoken = choose_language(language, chosen, languages)
    read = spoken or chosen.language
    sentences = split_sentences(spoken_form(text, read), read, max_characters)
    if not sentences:
        raise InvalidRequest("nothing_to_speak", "the text contains nothing to speak", param=param)
    return [Utterance(sentence, chosen.name, spoken, speed) for sentence in sentences]


def choose_voice(name: str | None, voices: Sequence[Voice]) -> Voice:
    """Return the voice of that name, or the first one for no name or an unknown `default`; raises InvalidRequest."""
    for voice in voices:
        if voice.name == name:
            return voice
    if not name or name == "default":
        return voices[0]
    raise InvalidRequest("unknown_voice", f"unknown voice; the voices are {_some(voices)}", param="voice")


def choose_language(language: str | None, voice: Voice, languages: Sequence[str]) -> str | None:
    """Return the language to speak, None where the model has only one; raises InvalidRequest with the known ones."""
    if not language or language == voice.language:
        return language if languages else None
    if language in languages:
        return language
    known = ", ".join(languages) or voice.language
    raise InvalidRequest(
        "unknown_language", f"the model does not speak this language; it speaks {known}", param="language"
    )


def _some(voices: Sequence[Voice], most: int = 20) -> str:
    more = f" and {len(voices) - most} more, see /v1/audio/voices" if len(voices) > most else ""
    return ", ".join(voice.name for voice in voices[:most]) + more
