"""Parameters of the query and of forms. As in Coqui's server, the first value of a repeated name counts."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from python_multipart.multipart import Field, create_form_parser
from starlette.requests import Request

from ttsworker.http.errors import ApiError


def read_query(request: Request) -> dict[str, str]:
    """Return the query's parameters; raises ApiError 400 when they are not UTF-8."""
    query: bytes = request.scope["query_string"]
    try:
        return _urlencoded(query)
    except ValueError as error:
        raise ApiError(400, "invalid_query", f"the query cannot be read: {error}") from error


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """Read a form in either encoding; any other body has no parameters. Raises ApiError 400."""
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
    fields: list[tuple[str, str]] = []

    def add(field: Field) -> None:
        fields.append(((field.field_name or b"").decode(), (field.value or b"").decode()))

    # Uploaded files are no parameters. They stay in memory, limited like the body, until this function drops them.
    config = {"MAX_MEMORY_FILE_SIZE": len(body)}
    parser = create_form_parser({"Content-Type": content_type.encode()}, on_field=add, on_file=None, config=config)
    parser.write(body)
    parser.finalize()
    return fields


def _first(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(name, value)
    return values
