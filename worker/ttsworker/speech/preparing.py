"""From a request to the sentences that a model speaks, with the audio of those that are cached."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED, UnknownVoice
from ttsworker.audio import Pcm
from ttsworker.engines import Utterance, Voice
from ttsworker.models.loaded import LoadedModel
from ttsworker.scheduling.stream import Sentence
from ttsworker.settings import Settings
from ttsworker.speech.errors import InvalidRequest
from ttsworker.speech.languages import choose_language
from ttsworker.speech.parts import LONG_TEXT, Parts
from ttsworker.speech.passages import passages_of, reading_of
from ttsworker.speech.request import SpeechJob, SpeechRequest
from ttsworker.speech.voices import choose_voice
from ttsworker.text import split_sentences, spoken_form
from ttsworker.text.markup import Passage, reads_as_markdown

MARKDOWN_COST = 10
"""The time that a character of Markdown takes, in characters of plain text: the parser needs 2 µs, at worst 15 µs."""


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
        keyed = await keyed_sentences(parts, model, job.request, param=job.param, client=job.client)
        audio = await parts.cache.get_many([key for key, _ in keyed])
        if model is parts.failover.active:  # otherwise another model has become active meanwhile
            sentences = (sentence for _, sentence in keyed)
            known = _first_bytes(audio, parts.memory.largest // 2)
            return PreparedSpeech(
                model, [replace(sentence, audio=each) for sentence, each in zip(sentences, known, strict=True)]
            )


def _first_bytes(audio: Iterable[Pcm | None], most: int) -> Iterator[Pcm | None]:
    """Yield the cached audio up to so many bytes in all, then None: the engine speaks the rest of a very long text."""
    for each in audio:
        most -= 0 if each is None else each.nbytes
        yield each if most >= 0 else None


async def keyed_sentences(
    parts: Parts, model: LoadedModel, request: SpeechRequest, *, param: str = "input", client: str = ""
) -> list[tuple[str, Sentence]]:
    """Return the sentences of a request, each with its cache key, as the model speaks them; raises InvalidRequest.

    A fallback does not know the first choice's voices: it speaks with its own.
    """
    unknown = parts.settings.unknown_voice
    if parts.failover.on_fallback and request.voice not in {voice.name for voice in model.engine.voices}:
        request = request.model_copy(update={"language": None})
        unknown = UnknownVoice.DEFAULT
    call = partial(_keyed_sentences, model, request, parts.settings, unknown, param, client=client)
    length = len(request.input)
    markup = reading_of(parts.settings, request).markup
    if LONG_TEXT // MARKDOWN_COST < length <= LONG_TEXT and reads_as_markdown(request.input, markup):
        length *= MARKDOWN_COST
    return await parts.compute(length, call)


def _keyed_sentences(
    model: LoadedModel,
    request: SpeechRequest,
    settings: Settings,
    unknown: UnknownVoice,
    param: str,
    *,
    client: str,
) -> list[tuple[str, Sentence]]:
    reading = reading_of(settings, request)
    sentences = sentences_of(
        passages_of(request.input, reading, max_length=settings.max_text_length, param=param),
        choose_voice(request.voice, model.engine.voices, settings.voice_aliases, unknown),
        model.engine.languages,
        max_characters=model.engine.max_characters,
        language=request.language,
        speed=request.speed,
        param=param,
    )
    owned = [replace(each, utterance=replace(each.utterance, client=client)) for each in sentences]
    return [(model.key(sentence.utterance), sentence) for sentence in owned]


def sentences_of(
    passages: Sequence[Passage],
    voice: Voice,
    languages: Sequence[str],
    *,
    max_characters: int,
    language: str | None = None,
    speed: float = 1.0,
    param: str = "input",
) -> list[Sentence]:
    """Return the sentences of checked passages, for a voice of a model with these languages; raises InvalidRequest.

    None of them is longer than `max_characters`.
    """
    chosen = choose_language(language, voice, languages)
    sentences: list[Sentence] = []
    for passage in passages:
        spoken = _passage_language(passage, voice, languages, param=param) if passage.language else chosen
        read = spoken or voice.language
        pieces = split_sentences(spoken_form(passage.text, read), read, max_characters)
        utterances = [Utterance(piece, voice.name, spoken, _speed(speed, passage, param=param)) for piece in pieces]
        sentences += [Sentence(each, pause=None if number else passage.pause) for number, each in enumerate(utterances)]
    if not sentences:
        raise InvalidRequest("nothing_to_speak", "the text contains nothing to speak", param=param)
    return sentences


def _speed(speed: float, passage: Passage, *, param: str) -> float:
    product = speed * passage.speed
    if not MIN_SPEED <= product <= MAX_SPEED:
        message = f"{param} has a part with speed {product:g}, but it must be from {MIN_SPEED:g} to {MAX_SPEED:g}"
        raise InvalidRequest("invalid_value", message, param=param)
    return product


def _passage_language(passage: Passage, voice: Voice, languages: Sequence[str], *, param: str) -> str | None:
    try:
        return choose_language(passage.language, voice, languages)
    except InvalidRequest as error:
        error.param = param
        raise
