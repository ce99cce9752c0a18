"""The bounds of queries and forms: how many fields, how long a part's header. Within them every field is read."""

import pytest

from ttsworker.http.routes.fields import (
    MAX_CONTENT_TYPE_BYTES,
    MAX_FIELDS,
    MAX_PART_HEADER_BYTES,
    MAX_PART_HEADERS,
    multipart,
    urlencoded,
)

BOUNDARY = "multipart/form-data; boundary=x"


def part(name: str, value: str = "a", *, header: str = "", filename: str = "") -> str:
    named = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return f"--x\r\n{named}{header}\r\n\r\n{value}\r\n"


def form(*parts: str) -> bytes:
    return ("".join(parts) + "--x--\r\n").encode()


def test_the_first_value_of_each_field_counts() -> None:
    assert urlencoded(b"text=a+b&text=c&voice=%C3%A9&empty=") == {"text": "a b", "voice": "é", "empty": ""}
    body = form(part("text", "a b"), part("text", "c"), part("file", "bytes", filename="f.wav"), part("voice", "é"))
    assert multipart(BOUNDARY, body) == {"text": "a b", "voice": "é"}


def test_as_many_fields_as_allowed_are_read() -> None:
    names = [f"field-{number}" for number in range(MAX_FIELDS)]
    assert list(urlencoded("&".join(f"{name}=a" for name in names).encode())) == names
    assert list(multipart(BOUNDARY, form(*map(part, names)))) == names


@pytest.mark.parametrize("separators", ["&", "a&", "a=b&", "text=a&"])
def test_more_fields_are_refused_whatever_they_hold(separators: str) -> None:
    with pytest.raises(ValueError, match="fields exceeded"):
        urlencoded((separators * MAX_FIELDS + "text=a").encode())


@pytest.mark.parametrize("filename", ["", "f.wav"])
def test_more_parts_are_refused_files_too(filename: str) -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_FIELDS} parts"):
        multipart(BOUNDARY, form(*[part("text", filename=filename)] * (MAX_FIELDS + 1)))


@pytest.mark.parametrize("unit", ["a", ";", '";', "\\", "=", '\\";', "%41", "; x*0=a", "=?utf-8?q?a?="])
def test_a_long_header_of_a_part_is_refused_before_it_is_parsed(unit: str) -> None:
    header = '; x="' + unit * (60_000 // len(unit))
    with pytest.raises(ValueError, match="header size"):
        multipart(BOUNDARY, form(part("text", header=header)))


@pytest.mark.parametrize("line", ["a: b", "a:", 'Content-Disposition: form-data; name="b"'])
def test_more_headers_of_a_part_are_refused(line: str) -> None:
    allowed = f"\r\n{line}" * (MAX_PART_HEADERS - 1)
    assert len(multipart(BOUNDARY, form(part("text", header=allowed)))) == 1
    with pytest.raises(ValueError, match="header count"):
        multipart(BOUNDARY, form(part("text", header=f"{allowed}\r\n{line}")))


def test_a_header_with_the_names_of_a_field_and_a_file_fits() -> None:
    filename = "語" * 255  # the longest that file systems allow
    body = form(part("file", filename=filename), part("text", "a"))
    assert multipart(BOUNDARY, body) == {"text": "a"}
    assert len(filename.encode()) < MAX_PART_HEADER_BYTES - 100


@pytest.mark.parametrize("unit", [";", '";', "a", "\\"])
def test_a_long_content_type_is_refused_before_it_is_parsed(unit: str) -> None:
    content_type = f'{BOUNDARY}; x="' + unit * (MAX_CONTENT_TYPE_BYTES // len(unit))
    with pytest.raises(ValueError, match="Content-Type has more than"):
        multipart(content_type, form(part("text")))
