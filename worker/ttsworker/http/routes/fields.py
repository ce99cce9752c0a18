"""Parameters from the query and from forms, as Coqui's server reads them: the first counts where a name comes twice."""

from collections.abc import Iterable
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from starlette.requests import Request

from ttsworker.http.errors import ApiError


def read_query(request: Request) -> dict[str, str]:
    """Return the query's parameters; raises ApiError 400 when they are no UTF-8."""
    query: bytes = request.scope["query_string"]
    try:
        return _urlencoded(query)
    except ValueError as error:
        raise ApiError(400, "invalid_query", f"the query cannot be read: {error}") from error


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """Read a form in either of its encodings; any other body has no parameters. Raises ApiError 400."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return _urlencoded(body)
        if kind == "multipart/form-data":
            return _first(_multipart(content_type, body))
    except ValueError as error:
        raise ApiError(400, "invalid_form", f"the form cannot be read: {error}") from error
    return {}


def _urlencoded(data: bytes) -> dict[str, str]:
    # A UnicodeDecodeError is a ValueError.
    return _first(parse_qsl(data.decode(), keep_blank_values=True, errors="strict"))


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not form.is_multipart():
        raise ValueError("it is not multipart/form-data with its boundary")
    fields = []
    for part in form.iter_parts():
        if part.get_filename() is not None:
            continue  # an uploaded file is no parameter
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        fields.append((str(name), content.decode() if isinstance(content, bytes) else ""))
    return fields


def _first(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(name, value)
    return values
