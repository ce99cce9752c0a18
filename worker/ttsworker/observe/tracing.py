"""Traces: a request continues the trace of its W3C `traceparent`, and may become a span of OpenTelemetry.

The trace's id is in every line of the request's log, with or without OpenTelemetry. Spans are made when
OTEL_EXPORTER_OTLP_ENDPOINT is set, the standard's own variable; the others of the standard work too, as the SDK reads
them. OpenTelemetry is an extra, imported only then. Spans are sent by a thread of the SDK; when the collector does not
keep up they are dropped, and no request ever waits.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from ttsworker.observe.logs import trace_id

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FLUSH_SECONDS = 2.0
"""How long the end of the process may wait for a collector to take the last spans."""

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parent:
    """The span that a request belongs to, of whoever sent it."""

    trace: str
    span: str
    flags: int


def parse_traceparent(header: str) -> Parent | None:
    """Return what a W3C traceparent says, None for one that is not valid."""
    found = _TRACEPARENT.fullmatch(header.strip())
    if found is None or (found[1] == "00" and found[5]):
        return None
    return Parent(found[2], found[3], int(found[4], 16))


class Span:
    """A request's span while it is answered."""

    def __init__(self, tracer: Any, span: Any) -> None:
        self._tracer = tracer
        self._span = span
        self._wall_seconds = time.time() - time.monotonic()

    def set(self, name: str, value: str | float) -> None:
        """Set one attribute."""
        self._span.set_attribute(name, value)

    def end_with(self, status: int, outcome: str, model: str) -> None:
        """Note how the request ended; the outcome is `499`, `aborted`, or the status."""
        self.set("tts.model", model)
        self.set("http.response.status_code", status)
        self.set("tts.outcome", outcome)
        if status >= 500 or outcome == "aborted":
            from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra, see the module's docstring

            self._span.set_status(StatusCode.ERROR)

    def child(self, name: str, started: float, ended: float) -> None:
        """Add a finished child; times are those of `time.monotonic`."""
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415 - an extra, see the module's docstring

        child = self._tracer.start_span(name, set_span_in_context(self._span), start_time=self._nanoseconds(started))
        child.end(self._nanoseconds(ended))

    def _nanoseconds(self, monotonic: float) -> int:
        return int((monotonic + self._wall_seconds) * 1e9)


_current: ContextVar[Span | None] = ContextVar("span", default=None)


def describe(
    *,
    voice: str | None = None,
    audio_format: str | None = None,
    characters: int | None = None,
    audio_seconds: float | None = None,
    cache_hits: int | None = None,
) -> None:
    """Say on the request's span, if it has one, what is being spoken. There is no parameter for the text."""
    if (span := _current.get()) is None:
        return
    values = {
        "tts.voice": voice,
        "tts.format": audio_format,
        "tts.characters": characters,
        "tts.audio_seconds": audio_seconds,
        "tts.cache_hits": cache_hits,
    }
    for name, value in values.items():
        if value is not None:
            span.set(name, value)


def record(name: str, started: float, ended: float) -> None:
    """Add a part of the work to the request's span, if it has one; times are those of `time.monotonic`."""
    if (span := _current.get()) is not None:
        span.child(name, started, ended)


class Tracer:
    """Follows requests. Without a provider of OpenTelemetry it only tells the log which trace they belong to."""

    def __init__(self, provider: Any = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("ttsworker", version("tts-operator")) if provider else None

    @contextmanager
    def following(self, headers: Mapping[str, str], name: str | None) -> Iterator[Span | None]:
        """Follow one request; with a name it becomes a span, the parent of what is recorded meanwhile."""
        parent = parse_traceparent(headers.get("traceparent", ""))
        if self._tracer is None or name is None:
            token = trace_id.set(parent.trace if parent else None)
            try:
                yield None
            finally:
                trace_id.reset(token)
            return
        span = self._start(name, parent, headers.get("tracestate", ""))
        tokens = trace_id.set(f"{span.get_span_context().trace_id:032x}"), _current.set(Span(self._tracer, span))
        try:
            yield _current.get()
        finally:
            trace_id.reset(tokens[0])
            _current.reset(tokens[1])
            span.end()

    def close(self, patience: float = FLUSH_SECONDS) -> None:
        """Send the last spans, for at most `patience` seconds."""
        if self._provider:
            # The SDK's own shutdown waits up to 30 s for a collector that does not answer.
            ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
            ending.start()
            ending.join(patience)
            if ending.is_alive():
                log.warning("the last traces are lost: the collector does not answer")

    def _start(self, name: str, parent: Parent | None, tracestate: str) -> Any:
        assert self._tracer is not None  # noqa: S101 - for mypy: `following` has looked
        from opentelemetry import trace  # noqa: PLC0415 - an extra, see the module's docstring
        from opentelemetry.context import Context  # noqa: PLC0415

        context = Context()
        if parent:
            remote = trace.SpanContext(
                int(parent.trace, 16),
                int(parent.span, 16),
                is_remote=True,
                trace_flags=trace.TraceFlags(parent.flags),
                trace_state=trace.TraceState.from_header([tracestate]) if tracestate else None,
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(remote), context)
        return self._tracer.start_span(name, context, kind=trace.SpanKind.SERVER)


def make_tracer() -> Tracer:
    """Return a tracer that sends spans where the environment asks for it; what prevents that is one line in the log."""
    environ = os.environ  # the SDK reads no other
    endpoint = next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), None)
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if endpoint is None or disabled:
        return Tracer()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("no traces are sent: %s is set, but the extra `otel` is not installed", ENDPOINT_VARIABLES[0])
        return Tracer()
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": "ttsworker"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # `close` does it, and does not wait for ever
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    log.info("sending traces", extra={"endpoint": endpoint})
    return Tracer(provider)
