"""`ttsworker say`: writes the speech of a text to a file."""

import asyncio
import io
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import typer

from ttsworker.audio import Pcm, silence, to_pcm
from ttsworker.cli.loading import configure_logs, load_engine, settings_for
from ttsworker.cli.output import STANDARD_OUTPUT, fail, open_output
from ttsworker.cli.progress import Progress
from ttsworker.encoding import AUDIO_FORMATS, AudioFormat, Encoder, Encoding, UnsupportedEncoding, encoder_for
from ttsworker.engines import Engine, ModelError, Unspeakable
from ttsworker.models.store import verify_model
from ttsworker.scheduling.stream import Sentence
from ttsworker.settings import Settings
from ttsworker.speech.errors import InvalidRequest, NothingToSpeak
from ttsworker.speech.passages import passages_of, reading_of
from ttsworker.speech.preparing import script_of
from ttsworker.speech.voices import choose_voice


@dataclass(frozen=True)
class Order:
    """What to speak, how, and into which file; `-` as text or output is standard input or output."""

    text: str
    output: str
    voice: str | None
    speed: float
    audio_format: str


@dataclass(frozen=True)
class Spoken:
    """Seconds of audio and of the time that its synthesis took, and the characters that were left out."""

    audio_seconds: float
    work_seconds: float
    skipped: str


def say_text(order: Order, options: Mapping[str, Any]) -> int:
    """Speak and return the exit code: 1 for a failure, 2 for a wrong request. Prints the error in one line."""
    configure_logs()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Exits at once and leaves no unfinished file; asyncio would wait for the next await.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    settings = settings_for(options)
    try:
        spoken = _say(order, settings)
    except (InvalidRequest, UnsupportedEncoding, Unspeakable) as error:
        return fail(str(error), 2)
    except BrokenPipeError:  # the reader closed the pipe
        return 1
    except OSError as error:
        return fail(f"cannot write {order.output}: {error.strerror}", 1)
    except ModelError as error:
        return fail(str(error), 1)
    factor = spoken.work_seconds / spoken.audio_seconds
    where = "" if order.output == STANDARD_OUTPUT else f"{order.output}: "
    typer.echo(f"{where}{spoken.audio_seconds:.2f} s of audio, real-time factor {factor:.3f}", err=True)
    if spoken.skipped:
        typer.echo(f"left out {len(spoken.skipped)} characters that the model cannot speak", err=True)
    return 0


def _say(order: Order, settings: Settings) -> Spoken:
    text, audio_format = _text(order.text), _audio_format(order.audio_format)
    passages = passages_of(text, reading_of(settings), max_length=max(1, len(text)), param="TEXT")
    with open_output(order.output) as file, Progress() as progress:
        progress.show("loading the model")
        if settings.model_dir:
            verify_model(settings.model_dir, settings.managed_by)
        engine = load_engine(settings)
        script = script_of(
            text,
            passages,
            engine,
            choose_voice(order.voice, engine.voices, settings.voice_aliases, settings.unknown_voice),
            speed=order.speed,
            param="TEXT",
        )
        encoder = encoder_for(Encoding(audio_format), engine.sample_rate)
        started = time.perf_counter()
        pieces = _pieces(engine, script.sentences, progress)
        samples = asyncio.run(_write(pieces, encoder, file, whole=order.output != STANDARD_OUTPUT))
        seconds = time.perf_counter() - started
        engine.close()
        if not samples:
            raise NothingToSpeak
    return Spoken(samples / engine.sample_rate, seconds, script.skipped)


def _pieces(engine: Engine, sentences: Sequence[Sentence], progress: Progress) -> Iterator[Pcm]:
    """Speak one sentence after another, with their own or the engine's pauses between them."""
    if sentences[0].audio is not None:  # a pause
        yield sentences[0].audio
        return
    begun = False
    for number, sentence in enumerate(sentences, 1):
        progress.show(f"speaking sentence {number} of {len(sentences)}")
        pause_due = begun
        for piece in engine.stream(sentence.utterance):
            if pause_due and len(piece):
                yield silence(engine.pause_seconds if sentence.pause is None else sentence.pause, engine.sample_rate)
                pause_due = False
            begun = begun or len(piece) > 0
            yield to_pcm(piece)


async def _write(pieces: Iterator[Pcm], encoder: Encoder, file: BinaryIO, *, whole: bool) -> int:
    """Write every piece at once; return the number of samples. The header of a `whole` file states its length."""
    file.write(encoder.header(None))
    samples = length = 0
    try:
        for piece in pieces:
            samples += len(piece)
            length += file.write(await encoder.encode(piece))
            file.flush()
        length += file.write(await encoder.finish())
    finally:
        await encoder.close()
    if whole and file.seekable() and (header := encoder.header(length)):
        file.seek(0)
        file.write(header)
    return samples


def _text(argument: str) -> str:
    if argument == "-":
        try:
            return io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="").read()
        except UnicodeDecodeError as error:
            raise InvalidRequest("invalid_value", "standard input is not UTF-8: convert it with iconv") from error
    return argument


def _audio_format(name: str) -> AudioFormat:
    for known in AUDIO_FORMATS:
        if known == name:
            return known
    raise InvalidRequest("unsupported_format", f"unknown format {name!r}: use one of {', '.join(AUDIO_FORMATS)}")
