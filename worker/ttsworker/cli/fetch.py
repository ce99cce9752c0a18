"""`ttsworker fetch`: downloads a model into a folder, as the operator's Job does it for a volume."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import typer

from ttscontract.model_folder import MANIFEST_NAME
from ttscontract.reasons import Reason
from ttsworker.cli.output import fail
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import Outcome, fetch_model
from ttsworker.fetch.options import EXIT_FAILED, EXIT_UNREACHABLE
from ttsworker.fetch.progress import LINE_SECONDS, Progress, watched
from ttsworker.fetch.sources import Request
from ttsworker.fetch.terms import COMMAND
from ttsworker.fetch.workspace import size

TERMINAL_SECONDS: Final = 0.5
"""Between two lines of progress on a terminal, where each replaces the one before."""

_NEW_LINE: Final = "\r\x1b[K"
"""Clears the line of progress that a terminal shows."""


class Interrupted(Exception):
    """A signal, whose number is the argument."""


def fetch_to(source: str, folder: Path, sha256: str | None, attempts: int) -> int:
    """Download and return the exit code; prints the error in one line."""
    terminal = sys.stderr.isatty()
    logging.basicConfig(level=logging.WARNING, format=f"{_NEW_LINE if terminal else ''}%(message)s", force=True)
    logging.getLogger("ttsworker").setLevel(logging.INFO)
    folder = folder.resolve()
    try:
        check_target(folder)
        outcome = _fetch(Request(source, sha256, attempts=attempts, terms=COMMAND), folder, terminal=terminal)
    except Interrupted as interrupt:
        return fail("stopped: the same command continues from the bytes downloaded so far", 128 + interrupt.args[0])
    except FetchError as error:
        return fail(str(error), EXIT_UNREACHABLE if error.reason is Reason.SOURCE_UNREACHABLE else EXIT_FAILED)
    has = "already has" if outcome.reason is Reason.ALREADY_PRESENT else "has"
    typer.echo(f"{folder} {has} the model, {size(outcome.manifest.bytes)}")
    return 0


def check_target(folder: Path) -> None:
    """Refuse a folder that the download would have to replace although no download made it; raises FetchError."""
    if not folder.name or folder.name.startswith("."):
        raise _unusable(folder, "its name must not begin with a dot")
    if folder.is_mount():
        raise _unusable(folder, f"it is a mount: choose a folder in it, such as {folder}/voice")
    if folder.exists() and not folder.is_dir():
        raise _unusable(folder, "it is a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST_NAME).exists():
        raise _unusable(folder, "it has files that no download put there: choose a new folder")


def _unusable(folder: Path, why: str) -> FetchError:
    return FetchError(Reason.STORAGE_UNUSABLE, f"the model cannot be put into {folder}: {why}")


def _fetch(request: Request, folder: Path, *, terminal: bool) -> Outcome:
    progress = Progress()

    def show(phase: str, count: int, total: int | None, speed: int) -> None:
        line = progress_line(phase, count, total, speed)
        print(f"{_NEW_LINE}{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        with _interruptible(), watched(progress, show, TERMINAL_SECONDS if terminal else LINE_SECONDS):
            return fetch_model(request, folder.parent, folder.name, progress)
    finally:
        if terminal:
            print(_NEW_LINE, end="", file=sys.stderr, flush=True)


def progress_line(phase: str, count: int, total: int | None, speed: int) -> str:
    """Return what a person sees: `downloading 1.0 MiB of 4.0 MiB (25 %), 512.0 KiB/s`."""
    if not count or phase != "downloading":
        return phase
    of = f" of {size(total)} ({100 * count // total} %)" if total else ""
    return f"{phase} {size(count)}{of}, {size(speed)}/s"


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block with Interrupted."""

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    # A shell starts a command in the background with Ctrl-C ignored.
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
