"""Reading what a client sends, with a bound."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from ttsworker.errors import ApiError
from ttsworker.worker import Worker

_BYTES_PER_CHARACTER = 12
"""JSON's longest way to write a character: a surrogate pair of two \\uXXXX."""

_BYTES_BESIDE_TEXT = 16_384


def get_worker(connection: HTTPConnection) -> Worker:
    """Return the application's worker."""
    worker: Worker = connection.app.state.worker
    return worker


TheWorker = Annotated[Worker, Depends(get_worker)]


def get_loaded_worker(worker: TheWorker) -> Worker:
    """Return the worker; raises ApiError 503 while its model is being loaded."""
    if not worker.loaded:
        worker.admission.check_open()
    return worker


LoadedWorker = Annotated[Worker, Depends(get_loaded_worker)]


async def read_body(request: Request, max_text_length: int) -> bytes:
    """Return the body; raises ApiError 413 when it is longer than any text that is allowed."""
    limit = max_text_length * _BYTES_PER_CHARACTER + _BYTES_BESIDE_TEXT
    body = bytearray()
    if int(request.headers.get("content-length", 0)) > limit:
        raise _too_large(limit)
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> ApiError:
    # The rest of the body is not read: the connection cannot be used again.
    headers = {"Connection": "close"}
    return ApiError(413, "body_too_large", f"the body has more than {limit} bytes: split the text", headers=headers)
