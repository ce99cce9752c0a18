"""Parameters of the query and of forms. As in Coqui's server, the first value of a repeated name counts."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from python_multipart.multipart import Field, File, create_form_parser
from starlette.requests import Request

from ttsworker.http.access.origins import media_type
from ttsworker.http.errors import ApiError
from ttsworker.speech.parts import Parts

MAX_FIELDS = 100
"""Parameters that a query or a form may have; the clients that are known send ten at most."""

MAX_PART_HEADERS, MAX_PART_HEADER_BYTES = 8, 1024
"""Headers of one part of a form, and the length of each: enough for the names of a field and of a file."""

MAX_CONTENT_TYPE_BYTES = 512
"""RFC 2046 allows 70 characters for the boundary, which is the only parameter that counts."""


async def read_query(request: Request, parts: Parts) -> dict[str, str]:
    """Return the query's parameters; raises ApiError 400 when they are not UTF-8 or too many."""
    query: bytes = request.scope["query_string"]
    try:
        return await parts.compute(len(query), lambda: urlencoded(query))
    except ValueError as error:
        raise ApiError(400, "invalid_query", f"the query cannot be read: {error}") from error


async def read_form(content_type: str, body: bytes, parts: Parts) -> dict[str, str]:
    """Read a form in either encoding; any other body has no parameters. Raises ApiError 400."""
    kind = media_type(content_type)
    try:
        if kind == "application/x-www-form-urlencoded":
            return await parts.compute(len(body), lambda: urlencoded(body))
        if kind == "multipart/form-data":
            return await parts.compute(len(body), lambda: multipart(content_type, body))
    except ValueError as error:
        raise ApiError(400, "invalid_form", f"the form cannot be read: {error}") from error
    return {}


def urlencoded(data: bytes) -> dict[str, str]:
    """Return the parameters of a query or form; raises ValueError."""
    # A UnicodeDecodeError is a ValueError.
    return _first(parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS))


def multipart(content_type: str, body: bytes) -> dict[str, str]:
    """Return the parameters of a multipart form; raises ValueError."""
    if len(content_type) > MAX_CONTENT_TYPE_BYTES:
        raise ValueError(f"its Content-Type has more than {MAX_CONTENT_TYPE_BYTES} characters")
    fields: list[tuple[str, str]] = []
    count = 0

    def add(part: Field | File) -> None:
        nonlocal count
        count += 1
        if count > MAX_FIELDS:
            raise ValueError(f"it has more than {MAX_FIELDS} parts")
        if isinstance(part, Field):
            fields.append(((part.field_name or b"").decode(), (part.value or b"").decode()))

    # Uploaded files are no parameters. They stay in memory, limited like the body, until this function drops them.
    config = {
        "MAX_MEMORY_FILE_SIZE": len(body),
        "MAX_HEADER_COUNT": MAX_PART_HEADERS,
        "MAX_HEADER_SIZE": MAX_PART_HEADER_BYTES,
    }
    parser = create_form_parser({"Content-Type": content_type.encode()}, on_field=add, on_file=add, config=config)
    parser.write(body)
    parser.finalize()
    return _first(fields)


def _first(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in fields:
        values.setdefault(name, value)
    return values
