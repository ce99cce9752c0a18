"""From a request to the sentences that a model speaks, with the audio of those that are cached."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ttscontract.worker_config import MAX_SPEED, MIN_SPEED, UnknownVoice
from ttsworker.audio import Pcm, silence
from ttsworker.engines import Engine, Utterance, Voice
from ttsworker.models.loaded import LoadedModel
from ttsworker.scheduling.stream import Sentence
from ttsworker.settings import Settings
from ttsworker.speech.errors import InvalidRequest, NothingToSpeak, UnspeakableText
from ttsworker.speech.languages import choose_language
from ttsworker.speech.parts import LONG_TEXT, Parts
from ttsworker.speech.passages import passages_of, reading_of
from ttsworker.speech.request import SpeechJob, SpeechRequest
from ttsworker.speech.voices import choose_voice
from ttsworker.text import emoji_of, is_heard, split_sentences, spoken_form
from ttsworker.text.markup import Passage, reads_as_markdown

MARKDOWN_COST = 10
"""The time that a character of Markdown takes, in characters of plain text: the parser needs 2 µs, at worst 15 µs."""

SILENCE_SECONDS = 0.3
"""What a text of marks or markup only, such as "…" or a code block, becomes, unless the engine has a longer pause."""


@dataclass(frozen=True)
class Script:
    """A text as a model speaks it."""

    sentences: Sequence[Sentence]
    """Those in which it speaks something; for a text of marks or markup only a pause, which has its audio."""
    skipped: str
    """The characters that it leaves out."""


@dataclass(frozen=True)
class PreparedSpeech:
    """A request as one model speaks it: at least one sentence."""

    model: LoadedModel
    sentences: Sequence[Sentence]
    skipped: str
    """The characters that the model leaves out."""

    @property
    def cached(self) -> int:
        """How many sentences need no synthesis."""
        return sum(sentence.audio is not None for sentence in self.sentences if sentence.utterance.text)

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
        script, keys = await keyed_script(parts, model, job.request, param=job.param, owner=job.owner)
        audio = await parts.cache.get_many(keys)
        if model is parts.failover.active:  # otherwise another model has become active meanwhile
            known = _first_bytes(audio, parts.memory.largest // 2)
            with_audio = [replace(each, audio=one) for each, one in zip(script.sentences, known, strict=False)]
            return PreparedSpeech(model, with_audio or script.sentences, script.skipped)


def _first_bytes(audio: Iterable[Pcm | None], most: int) -> Iterator[Pcm | None]:
    """Yield the cached audio up to so many bytes in all, then None: the engine speaks the rest of a very long text."""
    for each in audio:
        most -= 0 if each is None else each.nbytes
        yield each if most >= 0 else None


async def keyed_script(
    parts: Parts, model: LoadedModel, request: SpeechRequest, *, param: str = "input", owner: str = ""
) -> tuple[Script, list[str]]:
    """Return a request as the model speaks it, and the cache keys of its sentences but its pauses.

    A fallback does not know the first choice's voices: it speaks with its own. Raises InvalidRequest.
    """
    unknown = parts.settings.unknown_voice
    if parts.failover.on_fallback and request.voice not in {voice.name for voice in model.engine.voices}:
        request = request.model_copy(update={"language": None})
        unknown = UnknownVoice.DEFAULT
    call = partial(_keyed_script, model, request, parts.settings, unknown, param, owner=owner)
    length = len(request.input)
    markup = reading_of(parts.settings, request).markup
    if LONG_TEXT // MARKDOWN_COST < length <= LONG_TEXT and reads_as_markdown(request.input, markup):
        length *= MARKDOWN_COST
    return await parts.compute(length, call)


def _keyed_script(
    model: LoadedModel,
    request: SpeechRequest,
    settings: Settings,
    unknown: UnknownVoice,
    param: str,
    *,
    owner: str,
) -> tuple[Script, list[str]]:
    reading = reading_of(settings, request)
    script = script_of(
        request.input,
        passages_of(request.input, reading, max_length=settings.max_text_length, param=param),
        model.engine,
        choose_voice(request.voice, model.engine.voices, settings.voice_aliases, unknown),
        language=request.language,
        speed=request.speed,
        param=param,
    )
    if script.skipped and (request.on_unspeakable or settings.on_unspeakable.lower()) == "reject":
        raise UnspeakableText(script.skipped, param=param)
    owned = [replace(each, utterance=replace(each.utterance, owner=owner)) for each in script.sentences]
    return replace(script, sentences=owned), [model.key(each.utterance) for each in owned if each.audio is None]


def script_of(
    text: str,
    passages: Sequence[Passage],
    engine: Engine,
    voice: Voice,
    *,
    language: str | None = None,
    speed: float = 1.0,
    param: str = "input",
) -> Script:
    """Return the checked passages of a text as a voice of this engine speaks them.

    Raises InvalidRequest, also where it knows no letter and no digit of the text.
    """
    chosen = choose_language(language, voice, engine.languages)
    sentences: list[Sentence] = []
    skipped = ""
    pause: float | None = None  # before the next sentence; it stays where nothing of a passage is heard
    for passage in passages:
        pause = passage.pause if pause is None else pause + (passage.pause or 0.0)
        spoken = _passage_language(passage, voice, engine.languages, param=param) if passage.language else chosen
        read = spoken or voice.language
        written = spoken_form(passage.text, read, signs_in_words=not engine.reads_signs)
        pieces = split_sentences(written, read, engine.max_characters)
        utterances = [Utterance(piece, voice.name, spoken, _speed(speed, passage, param=param)) for piece in pieces]
        unspoken = [engine.unspoken(each) for each in utterances]
        heard = [each for each, left_out in zip(utterances, unspoken, strict=True) if _is_spoken(each, left_out)]
        sentences += [
            Sentence(each, pause=None if number else pause, estimated_seconds=engine.estimate_seconds(each))
            for number, each in enumerate(heard)
        ]
        pause = None if heard else pause
        skipped += emoji_of(passage.text) + "".join(unspoken)
    if sentences:
        return Script(sentences, skipped)
    rest = "".join(passage.text for passage in passages).strip()
    if any(map(str.isalnum, rest)):
        raise NothingToSpeak(param=param)
    audio = silence(pause or max(engine.pause_seconds, SILENCE_SECONDS), engine.sample_rate)
    left_out = rest if pause else rest or text  # a break is meant to be silent
    return Script([Sentence(Utterance("", voice.name), audio)], "".join(left_out.split()))


def _is_spoken(utterance: Utterance, unspoken: str) -> bool:
    """Return whether there is something to hear beside the characters that the engine leaves out."""
    return any(is_heard(character) and character not in unspoken for character in utterance.text)


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
