"""The answers to every error: {"error": {message, type, param, code}}, the shape that OpenAI's clients read.

Errors of the rooms below know nothing of HTTP; the table here gives each its status, code and headers.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse

from ttsworker.cache import CacheUnavailable
from ttsworker.encoding import EncodingFailed, UnsupportedEncoding
from ttsworker.scheduling.admission import NotAdmitted
from ttsworker.scheduling.answer_memory import AnswerTooLarge
from ttsworker.scheduling.stream import Interrupted
from ttsworker.speech.errors import AudioTimeout, InvalidRequest, SynthesisFailed

CACHE_RETRY_SECONDS = 5
"""The worker finds a restarted Redis again in about that time."""


class ApiError(Exception):
    """An answer that is no audio: an HTTP status, a code for programs and one line for people that says what to do."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = headers

    @property
    def kind(self) -> str:
        """The error's type in OpenAI's words."""
        if self.status == 429:
            return "rate_limit_error"
        return "invalid_request_error" if self.status < 500 else "server_error"

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {"error": {"message": str(self), "type": self.kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """Return the HTTP response."""
        return JSONResponse(self.body(), self.status, self.headers)


ERROR: dict[str, Any] = {
    "description": "Any other error; `code` says which.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "param", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"enum": ["invalid_request_error", "rate_limit_error", "server_error"]},
                            "param": {"type": ["string", "null"]},
                            "code": {"type": "string"},
                        },
                    }
                },
            }
        }
    },
}
"""How OpenAPI describes the body of every error."""


def _invalid(error: InvalidRequest | UnsupportedEncoding) -> ApiError:
    return ApiError(400, error.code, str(error), param=error.param)


def _not_admitted(error: NotAdmitted) -> ApiError:
    status = 429 if error.code in {"queue_full", "memory_full"} else 503
    return ApiError(status, error.code, str(error), headers=retry_after(error.retry_after_seconds))


def _encoding_failed(_: EncodingFailed) -> ApiError:
    return ApiError(500, "encoding_failed", "the audio could not be encoded: try another response_format")


def retry_after(seconds: int) -> dict[str, str]:
    """Return the header that says when to try again."""
    return {"Retry-After": str(seconds)}


ANSWERS: Mapping[type[Exception], Callable[[Any], ApiError]] = {
    ApiError: lambda error: error,
    InvalidRequest: _invalid,
    UnsupportedEncoding: _invalid,
    NotAdmitted: _not_admitted,
    AnswerTooLarge: lambda error: ApiError(413, "answer_too_large", str(error)),
    Interrupted: lambda error: ApiError(503, "draining", str(error), headers=retry_after(1)),
    AudioTimeout: lambda error: ApiError(504, "timeout", str(error)),
    EncodingFailed: _encoding_failed,
    SynthesisFailed: lambda error: ApiError(500, "synthesis_failed", str(error)),
    CacheUnavailable: lambda error: ApiError(
        503, "cache_unavailable", str(error), headers=retry_after(CACHE_RETRY_SECONDS)
    ),
}
"""The answer to each type of error. Any other error is a bug, and `http/telemetry.py` answers it."""


def answer_to(error: Exception) -> ApiError:
    """Return the answer to an error of one of these types."""
    return next(answer(error) for kind, answer in ANSWERS.items() if isinstance(error, kind))
