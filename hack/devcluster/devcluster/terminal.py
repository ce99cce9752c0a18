"""The output at the terminal: plain lines, and lines that show progress."""

import sys
import time


class Failure(Exception):
    """A problem that the user must know or fix; its text is shown without a traceback."""


def say(text: str) -> None:
    """Print one line of progress (standard output is for results)."""
    print(f"devcluster: {text}", file=sys.stderr, flush=True)


class Progress:
    """One changing line: rewritten in place on a terminal, elsewhere repeated at intervals."""

    INTERVAL = 10.0  # seconds between lines where they cannot be rewritten

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = self._shown = time.monotonic()
        self._rewrites = sys.stderr.isatty()
        self._tell("")

    def update(self, detail: str) -> None:
        """Show the progress; cheap to call often."""
        now = time.monotonic()
        if now - self._shown >= (0.2 if self._rewrites else self.INTERVAL):
            self._shown = now
            self._tell(detail)

    def done(self, detail: str = "done") -> None:
        """Show the end and how long it took."""
        self._tell(detail)
        if self._rewrites:
            print(file=sys.stderr)

    def _tell(self, detail: str) -> None:
        seconds = f"{time.monotonic() - self._started:.0f} s" if detail else ""
        line = f"devcluster: {self._title}" + (f": {detail}, {seconds}" if detail else " ...")
        if self._rewrites:
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)
