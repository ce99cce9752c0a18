"""Traces: a request continues the trace of its W3C `traceparent` header, and may become a span of OpenTelemetry.

Every log line of the request has the trace's id, whether spans are sent or not. They are when
OTEL_EXPORTER_OTLP_ENDPOINT is set, the variable of OpenTelemetry itself; its other variables work too, as the SDK reads
them. The SDK is an extra and is imported only then. A thread of the SDK sends the spans. It drops them when the
collector does not keep up, so a request never waits.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FLUSH_SECONDS = 2.0
"""How long the end of the process may wait for a collector to accept the last spans."""

_PROPAGATOR = TraceContextTextMapPropagator()
_NO_TRACER = trace.NoOpTracer()

_tracer: ContextVar[trace.Tracer] = ContextVar("tracer", default=_NO_TRACER)

log = logging.getLogger(__name__)


def describe(
    *,
    voice: str | None = None,
    audio_format: str | None = None,
    characters: int | None = None,
    audio_seconds: float | None = None,
    cache_hits: int | None = None,
) -> None:
    """Set on the request's span, if it has one, what is synthesized. There is no parameter for the text."""
    values = {
        "tts.voice": voice,
        "tts.format": audio_format,
        "tts.characters": characters,
        "tts.audio_seconds": audio_seconds,
        "tts.cache_hits": cache_hits,
    }
    trace.get_current_span().set_attributes({name: value for name, value in values.items() if value is not None})


def describe_answer(status: int, outcome: str, model: str) -> None:
    """Set on the request's span, if it has one, how it ended: `499`, `slow_client`, `aborted`, or the status."""
    span = trace.get_current_span()
    span.set_attributes({"tts.model": model, "http.response.status_code": status, "tts.outcome": outcome})
    if status >= 500 or outcome == "aborted":
        span.set_status(trace.StatusCode.ERROR)


def record(name: str, started: float, ended: float) -> None:
    """Add a part of the work to the request's span, if it has one; times are those of `time.monotonic`."""
    offset = time.time() - time.monotonic()
    child = _tracer.get().start_span(name, start_time=int((started + offset) * 1e9))
    child.end(int((ended + offset) * 1e9))


class Tracer:
    """Follows requests. Without a provider it makes no spans, and only the log shows the trace of a request."""

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        self._provider = provider
        source = provider or trace.NoOpTracerProvider()
        self._tracer = source.get_tracer("ttsworker", version("tts-operator"))

    @contextmanager
    def following(self, headers: Mapping[str, str], name: str | None) -> Iterator[None]:
        """Follow one request; with a name it becomes a span, the parent of what `record` adds meanwhile."""
        parent = _PROPAGATOR.extract(headers, Context())
        if name is None:
            span = trace.get_current_span(parent)
        else:
            span = self._tracer.start_span(name, parent, kind=trace.SpanKind.SERVER)
        token = _tracer.set(self._tracer)
        try:
            # An exception is not recorded: its message may hold the text.
            with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            _tracer.reset(token)

    def close(self, timeout: float = FLUSH_SECONDS) -> None:
        """Send the last spans, for at most `timeout` seconds."""
        if self._provider:
            # The SDK's own shutdown waits up to 30 s for a collector that does not answer.
            ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
            ending.start()
            ending.join(timeout)
            if ending.is_alive():
                log.warning("lost the last traces: the collector does not answer")


def make_tracer() -> Tracer:
    """Return a tracer that sends spans if the environment asks for it; log one line if the extra is missing."""
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
        log.warning("traces are off: %s is set, but the extra `otel` is not installed", ENDPOINT_VARIABLES[0])
        return Tracer()
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": "ttsworker"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)  # `close` does it, with a timeout
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    log.info("sending traces", extra={"endpoint": endpoint})
    return Tracer(provider)
