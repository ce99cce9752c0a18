"""The HTTP application: its routes, its middleware and the shape of its errors."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from ttscontract.pods import HEALTH_PATH, READY_PATH
from ttsworker.http.access.gate import Gate
from ttsworker.http.access.middleware import Access
from ttsworker.http.errors import ANSWERS, ApiError, answer_to
from ttsworker.http.routes import cache, coqui, details, marytts, openai, page, probes
from ttsworker.http.telemetry import Telemetry
from ttsworker.observe.tracing import Tracer
from ttsworker.redis.client import RedisClient
from ttsworker.speech.parts import Parts

ROUTES = (openai, coqui, marytts, details, cache, probes, page)


def create_app(parts: Parts, tracer: Tracer | None = None, redis: RedisClient | None = None) -> ASGIApp:
    """Return the application; the caller starts and closes the parts, the tracer and the Redis client.

    Raises InvalidSettings.
    """
    gate = Gate(parts.settings, redis, parts.clock)
    app = FastAPI(title="TTS worker", version=version("tts-operator"), docs_url=None, redoc_url=None)
    app.state.parts = parts
    for module in ROUTES:
        app.include_router(module.router)
    for kind in ANSWERS:
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    counted = {openai.SPEECH_PATH, coqui.SPEECH_PATH, marytts.SPEECH_PATH}
    guarded = Access(app, gate, limited=counted, refused=lambda reason: parts.metrics.rejected.labels(reason).inc())
    quiet = {HEALTH_PATH, READY_PATH}
    return Telemetry(
        guarded,
        parts.failover,
        parts.metrics,
        tracer or Tracer(),
        clock=parts.clock,
        counted=counted,
        quiet=quiet,
    )


async def _answer_error(_: Request, error: Exception) -> Response:
    return answer_to(error).response()


async def _answer_http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: an unknown path, a method that a path does not have."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for mypy: Starlette calls this for nothing else
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    message = f"{request.method} {request.url.path}: {error.detail}; /openapi.json lists what there is"
    return ApiError(error.status_code, code, message, headers=dict(error.headers or {})).response()
