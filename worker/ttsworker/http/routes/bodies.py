"""What routes depend on: the application's parts, the active model, and a request's body with bounds."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from ttsworker.http.access.middleware import CLIENT, CLIENT_KEY
from ttsworker.http.errors import ApiError, answer_to
from ttsworker.models.loaded import LoadedModel
from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import Reservation
from ttsworker.speech.parts import Parts
from ttsworker.speech.validation import longest_request

_CLOSE = {"Connection": "close"}
"""Header of an answer to a body that was not read to its end: the connection cannot be used again."""

SMALL_BODY_BYTES = 65_536
"""The longest body by default. A longer one, which `max_text_length` may allow, counts with the answers' memory while
it is read: the bodies of two thousand connections would have gigabytes."""


# Dependencies are coroutines although they wait for nothing: FastAPI would run plain functions in other threads.


async def get_parts(connection: HTTPConnection) -> Parts:
    """Return the application's parts."""
    parts: Parts = connection.app.state.parts
    return parts


AppParts = Annotated[Parts, Depends(get_parts)]


async def get_loaded_parts(parts: AppParts) -> Parts:
    """Return the parts once a model is active; raises NotAdmitted while the first one is being loaded."""
    if not parts.failover.loaded:
        parts.admission.check_open()
    return parts


LoadedParts = Annotated[Parts, Depends(get_loaded_parts)]


async def get_active_model(parts: LoadedParts) -> LoadedModel:
    """Return the active model; raises NotAdmitted while the first one is being loaded."""
    return parts.failover.active


ActiveModel = Annotated[LoadedModel, Depends(get_active_model)]


def unknown_model(parts: Parts) -> ApiError:
    """Return the answer to a name that is not that of a model of this worker."""
    message = f"unknown model; this worker serves {parts.failover.active.name}"
    return ApiError(404, "model_not_found", message, param="model")


def audio_owner(request: Request, parts: Parts) -> str:
    """Return the client that alone may use this request's audio again; "" for everybody.

    With keys, clients are neighbours that must not learn what the others say.
    """
    return "" if parts.settings.share_cache else request.scope.get("state", {}).get(CLIENT_KEY) or ""


async def read_body(request: Request, parts: Parts) -> bytes:
    """Return the body; raises ApiError 413, before reading it all, when it is longer than any text that is allowed.

    Raises ApiError 415 for a compressed body, and 408 for one that does not arrive within the request timeout: a client
    that sends a byte now and then cannot hold a connection for ever. Raises ApiError 429 for a long one, beyond
    SMALL_BODY_BYTES, where the memory is full.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        message = "the body is compressed: send it as it is, without Content-Encoding"
        raise ApiError(415, "unsupported_encoding", message, headers=dict(_CLOSE))
    limit = longest_request(parts.settings.max_text_length)
    if int(request.headers.get("content-length", 0)) > limit:
        raise _too_large(limit)
    seconds = parts.settings.request_timeout_seconds
    client = request.scope.get("state", {}).get(CLIENT, "")
    try:
        with parts.memory.reserve(0, client) as reservation:
            async with parts.clock.timeout(seconds):
                return await _collect(request, limit, reservation)
    except TimeoutError as error:
        message = f"the body did not arrive within {seconds:g} s: send it faster, or a shorter one"
        raise ApiError(408, "body_timeout", message, headers=dict(_CLOSE)) from error
    except NotAdmitted as error:
        refusal = answer_to(error)
        refusal.headers = {**(refusal.headers or {}), **_CLOSE}
        raise refusal from error


async def _collect(request: Request, limit: int, reservation: Reservation) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
        if len(body) > SMALL_BODY_BYTES:
            reservation.grow_to(len(body))
    return bytes(body)


def _too_large(limit: int) -> ApiError:
    return ApiError(
        413, "body_too_large", f"the body has more than {limit} bytes: split the text", headers=dict(_CLOSE)
    )
