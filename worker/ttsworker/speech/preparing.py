"""From a request to the sentences that a model speaks, with the audio of those that are cached."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ttscontract.worker_config import UnknownVoice
from ttsworker.audio import Pcm
from ttsworker.engines import Utterance, Voice
from ttsworker.models.loaded import LoadedModel
from ttsworker.scheduling.stream import Sentence
from ttsworker.settings import Settings
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.parts import Parts
from ttsworker.speech.request import SpeechJob, SpeechRequest
from ttsworker.speech.validation import check_text
from ttsworker.speech.voices import choose_voice
from ttsworker.text import split_sentences, spoken_form

LONG_TEXT = 2000
"""Characters above which a text is prepared in a thread, so that it does not delay /health and other requests' audio.

On one core 2,000 characters take 1 ms (English) to 2 ms (Chinese); 100,000 take 70 to 200 ms, and 400 ms when every
sentence is tiny. Three of these at once in the event loop delayed /health by 0.2 s, 0.7 s and 1.2 s; in the thread they
delay it by at most 0.1 s. `Parts.long_texts` admits one text at a time: three threads that compete for the GIL delayed
/health by 0.2 s.
"""


@dataclass(frozen=True)
class PreparedSpeech:
    """A request as one model speaks it: at least one sentence."""

    model: LoadedModel
    sentences: Sequence[Sentence]

    @property
    def cached(self) -> int:
        """How many sentences need no synthesis."""
        return sum(sentence.audio is not None for sentence in self.sentences)

    @property
    def voice(self) -> str:
        """The name of the voice that speaks."""
        return self.sentences[0].utterance.voice

    @property
    def cached_bytes(self) -> int:
        """Memory of the sentences that need no synthesis; they stay in it until the request ends."""
        return sum(sentence.audio.nbytes for sentence in self.sentences if sentence.audio is not None)


async def prepare(parts: Parts, job: SpeechJob) -> PreparedSpeech:
    """Prepare a request for the active model; raises InvalidRequest."""
    while True:
        model = parts.failover.active
        keyed = await keyed_utterances(parts, model, job.request, param=job.param)
        audio = await parts.cache.get_many([key for key, _ in keyed])
        if model is parts.failover.active:  # otherwise another model has become active meanwhile
            utterances = (utterance for _, utterance in keyed)
            known = _first_bytes(audio, parts.memory.largest // 2)
            return PreparedSpeech(model, [Sentence(*pair) for pair in zip(utterances, known, strict=True)])


def _first_bytes(audio: Iterable[Pcm | None], most: int) -> Iterator[Pcm | None]:
    """Yield the cached audio up to so many bytes in all, then None: the engine speaks the rest of a very long text."""
    for each in audio:
        most -= 0 if each is None else each.nbytes
        yield each if most >= 0 else None


async def keyed_utterances(
    parts: Parts, model: LoadedModel, request: SpeechRequest, *, param: str = "input"
) -> list[tuple[str, Utterance]]:
    """Return the sentences of a request, each with its cache key, as the model speaks them; raises InvalidRequest.

    A fallback does not know the first choice's voices: it speaks with its own.
    """
    unknown = parts.settings.unknown_voice
    if parts.failover.on_fallback and request.voice not in {voice.name for voice in model.engine.voices}:
        request = request.model_copy(update={"language": None})
        unknown = UnknownVoice.DEFAULT
    call = partial(_keyed_utterances, model, request, parts.settings, unknown, param)
    if len(request.input) <= LONG_TEXT:
        return call()
    async with parts.long_texts:
        return await asyncio.to_thread(call)


def _keyed_utterances(
    model: LoadedModel, request: SpeechRequest, settings: Settings, unknown: UnknownVoice, param: str
) -> list[tuple[str, Utterance]]:
    utterances = utterances_of(
        check_text(request.input, settings.max_text_length, param=param),
        choose_voice(request.voice, model.engine.voices, settings.voice_aliases, unknown),
        model.engine.languages,
        max_characters=model.engine.max_characters,
        language=request.language,
        speed=request.speed,
        param=param,
    )
    return [(model.key(utterance), utterance) for utterance in utterances]


def utterances_of(
    text: str,
    voice: Voice,
    languages: Sequence[str],
    *,
    max_characters: int,
    language: str | None = None,
    speed: float = 1.0,
    param: str = "input",
) -> list[Utterance]:
    """Return the sentences of a checked text, for a voice of a model with these languages; raises InvalidRequest.

    None of them is longer than `max_characters`.
    """
    spoken = choose_language(language, voice, languages)
    read = spoken or voice.language
    sentences = split_sentences(spoken_form(text, read), read, max_characters)
    if not sentences:
        raise InvalidRequest("nothing_to_speak", "the text contains nothing to speak", param=param)
    return [Utterance(sentence, voice.name, spoken, speed) for sentence in sentences]


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
