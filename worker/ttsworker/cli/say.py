"""`ttsworker say`: a text becomes a file."""

import io
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
import typer

from ttsworker.cli.loading import configure_logs, load_engine, settings_for
from ttsworker.cli.output import STANDARD_OUTPUT, open_output
from ttsworker.cli.progress import Progress
from ttsworker.encoding import Encoder, encoder_for
from ttsworker.engines import Audio, Engine, Unspeakable
from ttsworker.errors import ApiError
from ttsworker.requests import AUDIO_FORMATS, AudioFormat, Utterance, check_text, choose_language, choose_voice
from ttsworker.settings import Settings
from ttsworker.store import ModelError, verify_model
from ttsworker.text import split_sentences


@dataclass(frozen=True)
class Order:
    """What to say, how, and where to; `-` as text or output is standard input or output."""

    text: str
    output: str
    voice: str | None
    speed: float
    audio_format: str


@dataclass(frozen=True)
class Spoken:
    """Seconds of audio, and of the work it took."""

    audio_seconds: float
    work_seconds: float


def say_text(order: Order, options: Mapping[str, Any]) -> int:
    """Speak; returns the exit code: 1 for what failed, 2 for what was asked wrongly. Both are told in one line."""
    configure_logs()
    # As Ctrl-C does, so that no unfinished file stays behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    settings = settings_for(options)
    try:
        spoken = _say(order, settings)
    except (ApiError, Unspeakable) as error:
        return _fail(str(error), 2)
    except BrokenPipeError:  # whoever listened has heard enough
        return 1
    except OSError as error:
        return _fail(f"cannot write {order.output}: {error.strerror}", 1)
    except ModelError as error:
        return _fail(str(error), 1)
    factor = spoken.work_seconds / spoken.audio_seconds
    where = "" if order.output == STANDARD_OUTPUT else f"{order.output}: "
    typer.echo(f"{where}{spoken.audio_seconds:.2f} s of audio, real-time factor {factor:.3f}", err=True)
    return 0


def _say(order: Order, settings: Settings) -> Spoken:
    text, audio_format = _text(order.text), _audio_format(order.audio_format)
    with open_output(order.output) as file, Progress() as progress:
        progress.tell("loading the model")
        if settings.model_dir:
            verify_model(settings.model_dir)
        engine = load_engine(settings)
        utterances = _utterances(order, text, engine)
        encoder = encoder_for(audio_format, engine.sample_rate)
        started = time.perf_counter()
        samples = _write(_pieces(engine, utterances, progress), encoder, file, whole=order.output != STANDARD_OUTPUT)
        seconds = time.perf_counter() - started
        engine.close()
        if not samples:
            raise ApiError(400, "nothing_to_speak", "the text has nothing in it that this model speaks")
    return Spoken(samples / engine.sample_rate, seconds)


def _utterances(order: Order, text: str, engine: Engine) -> list[Utterance]:
    voice = choose_voice(order.voice, engine.voices)
    language = choose_language(None, voice, engine.languages)
    return [Utterance(sentence, voice.name, language, order.speed) for sentence in split_sentences(text)]


def _pieces(engine: Engine, utterances: Sequence[Utterance], progress: Progress) -> Iterator[Audio]:
    """Speak one sentence after another, with the engine's pauses between them."""
    pause = np.zeros(round(engine.pause_seconds * engine.sample_rate), np.float32)
    begun = False
    for number, utterance in enumerate(utterances, 1):
        progress.tell(f"speaking sentence {number} of {len(utterances)}")
        pause_due = begun
        for piece in engine.stream(utterance):
            if pause_due and len(piece):
                yield pause
                pause_due = False
            begun = begun or len(piece) > 0
            yield piece


def _write(pieces: Iterator[Audio], encoder: Encoder, file: BinaryIO, *, whole: bool) -> int:
    """Write every piece as it comes; returns the samples. For a `whole` file the length is put into its header."""
    file.write(encoder.header(None))
    samples = length = 0
    for piece in pieces:
        samples += len(piece)
        length += file.write(encoder.encode(piece))
        file.flush()
    length += file.write(encoder.finish())
    if whole and file.seekable():
        file.seek(0)
        file.write(encoder.header(length))
    return samples


def _text(argument: str) -> str:
    if argument == "-":
        try:
            argument = io.TextIOWrapper(sys.stdin.buffer, "utf-8", newline="").read()
        except UnicodeDecodeError as error:
            raise ApiError(400, "invalid_text", "standard input is not UTF-8: convert it with iconv") from error
    return check_text(argument, max(1, len(argument)), param="TEXT")


def _audio_format(name: str) -> AudioFormat:
    if name not in AUDIO_FORMATS:
        raise ApiError(400, "unsupported_format", f"there is no format {name!r}; known are {', '.join(AUDIO_FORMATS)}")
    return cast("AudioFormat", name)


def _fail(message: str, code: int) -> int:
    typer.echo(f"error: {message}", err=True)
    return code
