"""CORS: which pages of other origins a browser lets call the API."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from ttsworker.http.errors import ApiError

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")


class Cors(CORSMiddleware):
    """Wraps everything that answers, so that a page can read errors too. A preflight needs no key.

    A request may have any header, as OpenAI's client sends many, and a page may read all headers of an answer.
    Credentials of the browser (cookies) are not allowed, because nothing here uses them.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=("*",),
            allow_private_network=True,  # a worker is seldom public, and its administrator named the origin
            expose_headers=("*",),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return Starlette's answer, but a refusal in the shape of every other error."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        problem = bytes(answer.body).decode()
        advice = f"a page may use {', '.join(METHODS)}"
        if "origin" in problem:
            advice = "allowed_origins of this worker must name the origin of the page"
        message = f"{problem}: {advice}"
        vary = {"Vary": answer.headers["Vary"]}
        return ApiError(answer.status_code, "cors_refused", message, headers=vary).response()
