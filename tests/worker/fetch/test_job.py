"""The download program against a real web server on loopback: it resumes, verifies, and reports its errors."""

import random
import threading
from pathlib import Path

import httpx
import pytest

from tests.support.badserver import Answer, BadServer, cut, header, serving, status
from tests.support.worker.fetching import BODY, KEY, TLS, Fetch, assert_published, failure
from ttscontract.reasons import Reason
from ttsworker.fetch import publish
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.responses import content_range
from ttsworker.fetch.sources import Request


def test_a_file_is_published_with_its_manifest(server: BadServer, fetch: Fetch, tmp_path: Path) -> None:
    outcome = fetch(server)
    assert_published(tmp_path)
    assert outcome.reason is Reason.PUBLISHED
    assert outcome.manifest.source == server.url + "/voice.onnx"
    assert outcome.manifest.sha256 == server.sha256
    assert outcome.manifest.bytes == len(BODY)
    assert [(file.path, file.sha256) for file in outcome.manifest.files] == [("voice.onnx", server.sha256)]
    assert server.requests[0]["Accept-Encoding"] == "identity"


def test_an_intact_model_is_left_alone_and_a_damaged_one_replaced(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    fetch(server)
    assert fetch(server).reason is Reason.ALREADY_PRESENT
    assert len(server.requests) == 1
    (tmp_path / KEY / "voice.onnx").write_bytes(BODY[:-1] + b"?")
    assert fetch(server).reason is Reason.PUBLISHED
    assert_published(tmp_path)


def test_a_filesystem_that_cannot_swap_gets_the_new_model_too(
    server: BadServer, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_RENAME_EXCHANGE", 1 << 30)  # the kernel refuses an unknown flag with the same EINVAL
    fetch(server)
    (tmp_path / KEY / "voice.onnx").write_bytes(b"damaged")
    assert fetch(server).reason is Reason.PUBLISHED
    assert_published(tmp_path)


@pytest.mark.parametrize("damage", ["no manifest", "another manifest", "a file more", "a file instead of a folder"])
def test_whatever_is_wrong_with_what_is_there_is_mended(
    server: BadServer, fetch: Fetch, tmp_path: Path, damage: str
) -> None:
    fetch(server)
    match damage:
        case "no manifest":
            (tmp_path / KEY / ".manifest.json").unlink()
        case "another manifest":
            (tmp_path / KEY / ".manifest.json").write_text("{")
        case "a file more":
            (tmp_path / KEY / "extra").write_text("extra")
        case _:
            (tmp_path / KEY).rename(tmp_path / "moved")
            (tmp_path / KEY).write_text("")
    assert fetch(server).reason is Reason.PUBLISHED
    assert_published(tmp_path)


@pytest.mark.parametrize("cuts", [[0], [1], [100_000], [100_000, 50_000, 70_000], [len(BODY) - 1]])
def test_a_cut_connection_is_continued_by_range(
    server: BadServer, fetch: Fetch, tmp_path: Path, cuts: list[int]
) -> None:
    server.steps = [cut(after) for after in cuts]
    fetch(server)
    assert_published(tmp_path)
    assert server.sent == len(BODY)
    expected = [sum(cuts[: number + 1]) for number in range(len(cuts))]
    ranges = [request.get("Range") for request in server.requests]
    assert ranges == [None] + [f"bytes={position}-" if position else None for position in expected]
    assert all(request.get("If-Range") == server.etag for request in server.requests if "Range" in request)


def test_more_cuts_than_attempts_are_no_matter_while_each_brings_something(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    server.steps = [cut(10_000)] * 12
    fetch(server, attempts=2)
    assert_published(tmp_path)


def test_a_server_without_ranges_is_asked_again_for_all(server: BadServer, fetch: Fetch, tmp_path: Path) -> None:
    server.ranges = False
    server.steps = [cut(100_000), cut(100_000)]
    fetch(server)
    assert_published(tmp_path)


def test_a_server_that_always_cuts_is_unreachable_and_the_part_is_kept(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    server.ranges = False
    server.steps = [cut(100_000)] * 10
    assert failure(fetch, server).reason is Reason.SOURCE_UNREACHABLE
    assert (tmp_path / ".partial" / KEY / "download").stat().st_size == 100_000
    assert not (tmp_path / KEY).exists()


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("if_range", [True, False], ids=["if-range", "if-range ignored"])
def test_a_source_that_changes_in_between_is_never_mixed(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, checked: bool, if_range: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    new = random.Random(2).randbytes(len(BODY))

    with serving(BadServer(BODY), tls=(TLS / "cert.pem", TLS / "key.pem")) as server:

        def change(answer: Answer) -> None:
            answer.cut_after = 100_000
            server.body, server.etag = new, '"new"'

        def ignore_if_range(answer: Answer) -> None:
            rest = {
                "Content-Range": f"bytes 100000-{len(new) - 1}/{len(new)}",
                "Content-Length": str(len(new) - 100_000),
            }
            answer.status, answer.headers, answer.body = 206, rest | {"ETag": '"new"'}, new[100_000:]

        server.steps = [change] if if_range else [change, ignore_if_range]
        fetch(server, checked=checked) if not checked else fetch(server, sha256=BadServer(new).sha256)
    assert_published(tmp_path, new)


def test_a_continued_download_with_a_wrong_checksum_is_tried_in_full(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    server.etag = ""

    def spoil(answer: Answer) -> None:
        answer.body, answer.cut_after = b"?" * 1000 + answer.body[1000:], 100_000

    server.steps = [spoil]
    fetch(server)
    assert_published(tmp_path)


def test_a_wrong_checksum_removes_the_part_and_tells_the_true_one(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    error = failure(fetch, server, sha256="0" * 64)
    assert error.reason is Reason.CHECKSUM_MISMATCH
    assert server.sha256 in str(error)
    assert not (tmp_path / ".partial" / KEY / "download").exists()
    assert len(server.requests) == 1


def test_a_finished_part_is_not_asked_for_again(server: BadServer, fetch: Fetch, tmp_path: Path) -> None:
    server.steps = [cut(100_000), status(404)]
    failure(fetch, server)
    part = tmp_path / ".partial" / KEY / "download"
    part.write_bytes(BODY)
    fetch(server)
    assert_published(tmp_path)
    assert len(server.requests) == 2


def test_a_wrong_length_is_settled_by_the_server_saying_that_nothing_is_left(
    server: BadServer, fetch: Fetch, tmp_path: Path
) -> None:
    server.steps = [header("Content-Length", str(len(BODY) + 5))]
    fetch(server)
    assert_published(tmp_path)


def test_a_body_without_length_needs_a_checksum(fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    with serving(BadServer(BODY), tls=(TLS / "cert.pem", TLS / "key.pem")) as server:
        server.steps = [header("Content-Length", None)]
        error = failure(fetch, server, checked=False)
        assert error.reason is Reason.SOURCE_INVALID
        assert "sha256" in str(error)
        server.steps = [header("Content-Length", None)]
        fetch(server)
    assert_published(tmp_path)


def test_progress_counts_what_is_there_already(server: BadServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    gate = threading.Event()
    progress = Progress()

    def look(answer: Answer) -> None:
        seen.append((progress.bytes, progress.total))
        answer.pause = gate
        gate.set()

    server.steps = [cut(100_000), look]
    request = Request(server.url + "/voice.onnx", server.sha256, backoff_seconds=0.01)
    fetch_model(request, tmp_path, KEY, progress)
    assert seen == [(100_000, len(BODY))]
    assert (progress.bytes, progress.total) == (len(BODY), len(BODY))


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 19, "-1", "\u0661", "1_0", "1e3", "*/1", ""])
def test_a_length_that_is_none_is_as_good_as_no_length(length: str) -> None:
    headers = {b"Content-Range": f"bytes 0-1/{length}".encode()}
    assert content_range(httpx.Response(206, headers=headers)) == (None, None)


def test_a_length_is_read() -> None:
    assert content_range(httpx.Response(206, headers={"Content-Range": "bytes 5-9/10"})) == (5, 10)
    assert content_range(httpx.Response(206, headers={"Content-Range": "bytes 5-9/*"})) == (5, None)
