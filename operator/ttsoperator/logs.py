"""Logs as one JSON object a line, with the fields of the worker's logs, on the standard library's logging.

Every line has timestamp, level, message, module, function and line; inside a pass the namespace and the name of its
TTSService; exception and stack where there are any; and whatever was given as `extra`.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from ttscontract.log_line import as_json, message_of, text_of

service: ContextVar[tuple[str, str] | None] = ContextVar("service", default=None)
"""Namespace and name of the TTSService that the current task works on."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OF_KOPF: Final = {"settings", "k8s_skip"}
"""What kopf attaches to its records for its own use."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; what JSON cannot hold is written as its text."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": message_of(record),
            "module": record.name,
            "function": record.funcName,
            "line": record.lineno,
        }
        if current := service.get():
            line["namespace"], line["service"] = current
        left_out = _STANDARD | _OF_KOPF | line.keys()
        line |= {name: value for key, value in vars(record).items() if (name := text_of(key)) not in left_out}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return as_json(line)


def configure(level: str = "INFO") -> None:
    """Send all logs, those of libraries, warnings and uncaught exceptions too, to standard error as JSON.

    Of kopf's and the client's only what went wrong is logged, unless the level is DEBUG.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    debugging = level == "DEBUG"
    logging.getLogger("kopf").setLevel(logging.NOTSET if debugging else logging.WARNING)
    logging.getLogger("kubernetes").setLevel(logging.NOTSET if debugging else logging.ERROR)
    if not debugging:
        handler.addFilter(_without_tracebacks_of_kopf)


def _without_tracebacks_of_kopf(record: logging.LogRecord) -> bool:
    """Remove kopf's tracebacks: the message says what kopf could not do, and it is no fault of this program."""
    if record.name.startswith("kopf"):
        record.exc_info = record.exc_text = None
    return True


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log the exception that ends the program, except for Ctrl-C."""
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("ttsoperator").critical("ended by an exception: %r", error, exc_info=(kind, error, traceback))
