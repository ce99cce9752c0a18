"""The one shape of every error of the API: {"error": {message, type, param, code}}, as OpenAI's clients read it."""

from typing import Any

from starlette.responses import JSONResponse


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
