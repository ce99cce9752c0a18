"""Logs as one JSON object a line, on the standard library's logging.

Every line has timestamp, level, message, module, function and line; request_id inside a request, and trace_id where it
belongs to a trace; exception and stack where there are any; and whatever was given as `extra`. A spoken text is logged
as `extra={"text": text}` and nowhere else, so that the setting textLogging decides in one place what of it is seen.
"""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from opentelemetry import trace

from ttscontract.log_line import as_json, message_of, text_of
from ttscontract.worker_config import TextLogging
from ttsworker.observe.masking import mask

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request being answered; tasks and `asyncio.to_thread` inherit it."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def time_text(moment: datetime) -> str:
    """Return a time in ISO 8601, to the millisecond, as the logs and /health have it."""
    return moment.isoformat(timespec="milliseconds")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, text_logging: TextLogging = TextLogging.MASKED) -> None:
        super().__init__()
        self._text_logging = text_logging

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; what JSON cannot hold is written as its text."""
        line: dict[str, Any] = {
            "timestamp": time_text(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "message": message_of(record),
            "module": record.name,
            "function": record.funcName,
            "line": record.lineno,
        }
        ids = {"request_id": request_id.get(), "trace_id": _trace_id()}
        line |= {name: value for name, value in ids.items() if value is not None}
        left_out = _STANDARD | line.keys()
        extra = {name: value for key, value in vars(record).items() if (name := text_of(key)) not in left_out}
        if "text" in extra:
            extra |= self._logged_text(text_of(extra.pop("text")))
        line |= extra
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return as_json(line)

    def _logged_text(self, text: str) -> dict[str, str]:
        match self._text_logging:
            case TextLogging.NONE:
                return {}
            case TextLogging.MASKED:
                return {"text": mask(text)}
            case TextLogging.FULL:
                return {"text": text}


def _trace_id() -> str | None:
    """Return the id of the trace that the request belongs to, 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def configure(
    level: str = "INFO", *, text_logging: TextLogging = TextLogging.MASKED, stream: TextIO | None = None
) -> logging.Handler:
    """Send all logs, those of libraries, warnings and uncaught exceptions too, to a stream (standard error) as JSON.

    Returns the handler. Handlers set before are removed, also uvicorn's own, which would write its lines a second time
    and not as JSON. `level` is a name of the logging module; another one raises ValueError.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(text_logging))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in ("httpx", "httpcore"):  # they write every request with its whole URL, which may carry a token
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    return handler


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log the exception that ends the program, except for Ctrl-C."""
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("ttsworker").critical("ended by an exception: %r", error, exc_info=(kind, error, traceback))
