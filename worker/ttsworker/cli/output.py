"""What a command writes: its output file, and its error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

STANDARD_OUTPUT = "-"


def fail(message: str, code: int) -> int:
    """Print an error in one line; return the exit code."""
    typer.echo(f"error: {message}", err=True)
    return code


@contextmanager
def open_output(target: str) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only if the block succeeds; `-` is standard output.

    Writes directly to a device or a pipe. Raises OSError, for a file before the block begins.
    """
    path = Path(target).resolve()
    if target == STANDARD_OUTPUT:
        with _only_ours() as file:
            yield file
    elif path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
    else:
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("xb") as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _only_ours() -> Iterator[BinaryIO]:
    """Reserve standard output for the audio: redirect what libraries print to standard error."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as file:
        os.dup2(2, 1)
        try:
            yield file
            file.flush()
        finally:
            os.dup2(file.fileno(), 1)
