"""Tells a person that something takes its time."""

import sys
import threading
from types import TracebackType
from typing import Self, TextIO

PATIENCE_SECONDS = 2.0
"""Before that nothing is written."""

INTERVAL_SECONDS = 1.0


class Progress:
    """Writes what is being done to standard error, from a thread of its own, once it takes more than 2 seconds."""

    def __init__(self, stream: TextIO | None = None, patience: float = PATIENCE_SECONDS) -> None:
        self._stream = stream or sys.stderr
        self._patience = patience
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

    def tell(self, doing: str) -> None:
        """Say what is being done now."""
        self._doing = doing

    def _run(self) -> None:
        if self._ended.wait(self._patience):
            return
        self._write()
        while not self._ended.wait(INTERVAL_SECONDS):
            self._write()

    def _write(self) -> None:
        if self._doing != self._written:
            self._written = self._doing
            print(f"{self._doing} ...", file=self._stream, flush=True)
