"""Shows a person the current step of a long command."""

import sys
import threading
from types import TracebackType
from typing import Self, TextIO

DELAY_SECONDS = 2.0
"""Delay before the first line, so that a quick command prints none."""

INTERVAL_SECONDS = 1.0


class Progress:
    """Writes the current step to standard error, from its own thread, once the program has run for `delay` seconds."""

    def __init__(self, stream: TextIO | None = None, delay: float = DELAY_SECONDS) -> None:
        self._stream = stream or sys.stderr
        self._delay = delay
        self._doing = self._written = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def show(self, doing: str) -> None:
        """Set the current step, such as "loading the model"."""
        self._doing = doing

    def _run(self) -> None:
        if self._ended.wait(self._delay):
            return
        self._write()
        while not self._ended.wait(INTERVAL_SECONDS):
            self._write()

    def _write(self) -> None:
        if self._doing != self._written:
            self._written = self._doing
            print(f"{self._doing} ...", file=self._stream, flush=True)
