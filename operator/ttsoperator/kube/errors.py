"""What the API server answers instead of an object, as types."""

import json


class ApiError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class NotFound(ApiError):
    """404: the object does not exist."""


class AlreadyExists(ApiError):
    """409 of a create: an object with this name exists."""


class Conflict(ApiError):
    """409 of a write: the object changed since the operator read it."""


class Refused(ApiError):
    """The API server refused the request (quota, policy, validation, a webhook): a retry does not help."""


class Unavailable(ApiError):
    """No answer, overload or a server error, after several attempts: a later retry may succeed."""


def error_of(status: int, content: bytes, retry_after: str | None) -> ApiError:
    """Return the error that an answer with this status, body and Retry-After stands for."""
    try:
        message = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        message = content.decode(errors="replace").strip()[:500] or f"HTTP {status} without a message"
    if status == 404 and "page not found" in message:
        return Refused(status, "the cluster does not serve this API: is its CRD or add-on installed?")
    if status in {401, 408, 429} or status >= 500:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        return Unavailable(status, message, wait)
    known: dict[int, type[ApiError]] = {404: NotFound, 409: Conflict}
    return known.get(status, Refused)(status, message)
