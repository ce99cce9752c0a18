"""The HTTP application: its routes, its middleware and the shape of its errors."""

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ttscontract.pods import HEALTH_PATH, READY_PATH
from ttsworker.http.access.gate import Gate
from ttsworker.http.access.middleware import Access
from ttsworker.http.cors import Cors
from ttsworker.http.errors import ANSWERS, ERROR, ApiError, answer_to
from ttsworker.http.methods import Methods
from ttsworker.http.paths import CanonicalPath
from ttsworker.http.routes import cache, coqui, details, marytts, openai, page, probes
from ttsworker.http.telemetry import Telemetry, answer_to_bug
from ttsworker.observe.tracing import Tracer
from ttsworker.redis.client import RedisClient
from ttsworker.speech.errors import LONGEST_NAME
from ttsworker.speech.parts import Parts

ROUTES = (openai, coqui, marytts, details, cache, probes, page)


def create_app(parts: Parts, tracer: Tracer | None = None, redis: RedisClient | None = None) -> ASGIApp:
    """Return the application; the caller starts and closes the parts, the tracer and the Redis client.

    Raises InvalidSettings.
    """
    gate = Gate(parts.settings, redis, parts.clock)
    app = FastAPI(
        title="TTS worker",
        version=version("tts-operator"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": ERROR},
    )
    app.state.parts = parts
    routes = [route for route in app.routes if isinstance(route, Route)]
    for module in ROUTES:
        app.include_router(module.router)
        routes += [route for route in module.router.routes if isinstance(route, Route)]
    for kind in ANSWERS:
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(Exception, _answer_bug)
    counted = {openai.SPEECH_PATH, coqui.SPEECH_PATH, marytts.SPEECH_PATH}
    answering = Methods(app, routes)
    limited = counted | {cache.CACHE_PATH}  # deleting reads a text, or makes Redis scan all it has
    guarded = Access(
        answering, gate, limited=limited, refused=lambda reason: parts.metrics.rejected.labels(reason).inc()
    )
    quiet = {HEALTH_PATH, READY_PATH}
    observed = Telemetry(
        guarded,
        parts.failover,
        parts.metrics,
        tracer or Tracer(),
        clock=parts.clock,
        counted=counted,
        quiet=quiet,
    )
    origins = parts.settings.allowed_origins
    return CanonicalPath(Cors(observed, origins) if origins else observed)


async def _answer_error(_: Request, error: Exception) -> Response:
    return answer_to(error).response()


async def _answer_invalid(_: Request, error: Exception) -> Response:
    """What FastAPI refuses: a parameter of a wrong type."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for mypy, as below
    first = error.errors()[0]
    param = str(first["loc"][-1])[:LONGEST_NAME]
    return ApiError(400, "invalid_value", f"{param}: {first['msg']}", param=param).response()


async def _answer_bug(_: Request, __: Exception) -> Response:
    """Answer any other error; Starlette raises it again, so that `Telemetry` logs it."""
    return answer_to_bug().response()


async def _answer_http_error(request: Request, error: Exception) -> Response:
    """What the router itself refuses: an unknown path."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for mypy: Starlette calls this for nothing else
    code = "not_found" if error.status_code == 404 else "http_error"
    message = f"{request.method} {request.url.path}: {error.detail}; /openapi.json lists what there is"
    return ApiError(error.status_code, code, message, headers=dict(error.headers or {})).response()
