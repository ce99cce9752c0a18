"""Sources that refuse, redirect, lie or cannot be reached: each has its reason."""

from itertools import count
from pathlib import Path

import pytest

from tests.support.badserver import BadServer, Step, cut, header, serving, status
from tests.support.worker.fetching import BODY, KEY, TLS, Fetch, assert_published, failure
from ttscontract.reasons import Reason
from ttsworker.fetch import workspace as workspaces
from ttsworker.fetch.download import Download
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import fetch_model
from ttsworker.fetch.progress import Progress
from ttsworker.fetch.sources import Request
from ttsworker.fetch.workspace import Workspace


@pytest.mark.parametrize(
    ("step", "reason", "requests"),
    [
        (status(404), Reason.SOURCE_NOT_FOUND, 1),
        (status(410), Reason.SOURCE_NOT_FOUND, 1),
        (status(401), Reason.SOURCE_FORBIDDEN, 1),
        (status(403), Reason.SOURCE_FORBIDDEN, 1),
        (status(400), Reason.SOURCE_INVALID, 1),
        (status(304), Reason.SOURCE_INVALID, 1),
        (status(500), Reason.SOURCE_UNREACHABLE, 3),
        (status(503), Reason.SOURCE_UNREACHABLE, 3),
        (status(429, Retry_After="0"), Reason.SOURCE_UNREACHABLE, 3),
        (status(302, Location="/voice.onnx"), Reason.SOURCE_INVALID, 6),
        (status(302, Location="ftp://127.0.0.1/voice.onnx"), Reason.SOURCE_INVALID, 1),
        (header("Content-Encoding", "gzip"), Reason.SOURCE_INVALID, 1),
        (status(416), Reason.SOURCE_UNREACHABLE, 3),
    ],
)
def test_each_answer_has_its_reason_and_only_passing_ones_are_tried_again(
    server: BadServer, fetch: Fetch, step: Step, reason: Reason, requests: int
) -> None:
    server.steps = [step] * 20
    assert failure(fetch, server).reason is reason
    assert len(server.requests) == requests


def test_an_error_that_passes_is_waited_out(server: BadServer, fetch: Fetch, tmp_path: Path) -> None:
    server.steps = [status(503), status(500)]
    fetch(server)
    assert_published(tmp_path)


def test_a_redirect_is_followed(server: BadServer, fetch: Fetch, tmp_path: Path) -> None:
    server.steps = [status(302, Location="/elsewhere?token=1")]
    fetch(server)
    assert_published(tmp_path)


def test_nobody_listening_is_unreachable(fetch: Fetch) -> None:
    with serving(BadServer(BODY)) as server:
        pass
    assert failure(fetch, server).reason is Reason.SOURCE_UNREACHABLE


def test_https_is_not_left_for_http_without_a_checksum(
    server: BadServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    with serving(BadServer(BODY), tls=(TLS / "cert.pem", TLS / "key.pem")) as secure:
        secure.steps = [status(302, Location=server.url + "/voice.onnx")] * 2
        error = failure(fetch, secure, checked=False)
        assert error.reason is Reason.SOURCE_INVALID
        assert server.requests == []
        assert fetch(secure).reason is Reason.PUBLISHED


def test_an_untrusted_certificate_is_not_tried_again(fetch: Fetch) -> None:
    with serving(BadServer(BODY), tls=(TLS / "cert.pem", TLS / "key.pem")) as server:
        error = failure(fetch, server)
    assert error.reason is Reason.SOURCE_INVALID
    assert "certificate" in str(error)
    assert server.requests == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("file:///etc/passwd", "https://"),
        ("ftp://host/file", "https://"),
        ("voice.onnx", "https://"),
        ("https:voice.onnx", "https://"),
        ("https:///voice.onnx", "no host"),
        ("https://host/", "file name"),
        ("https://host/a/%2e%2e", "file name"),
        ("https://host/.manifest.json", "file name"),
        ("https://host/a%0Ab", "file name"),
        ("https://user:secret@host/voice.onnx", "password"),
        ("http://host/voice.onnx", "sha256"),
        ("https://[host/voice.onnx", "not a URL"),
    ],
)
def test_a_source_that_cannot_work_is_refused_before_any_request(tmp_path: Path, source: str, says: str) -> None:
    with pytest.raises(FetchError, match=says) as caught:
        fetch_model(Request(source), tmp_path, KEY, Progress())
    assert caught.value.reason is Reason.SOURCE_INVALID
    assert "secret" not in str(caught.value)


def test_a_token_in_the_query_is_not_told(server: BadServer, fetch: Fetch) -> None:
    server.steps = [status(404)]
    assert "secret" not in str(failure(fetch, server, path="/voice.onnx?token=secret"))


@pytest.mark.parametrize("told", [True, False])
def test_more_than_the_limit_is_refused(server: BadServer, fetch: Fetch, tmp_path: Path, *, told: bool) -> None:
    if not told:
        server.steps = [header("Content-Length", None)]
    error = failure(fetch, server, max_bytes=100_000)
    assert error.reason is Reason.DISK_FULL
    assert "spec.storage.size" in str(error)
    assert not (tmp_path / KEY).exists()
    assert fetch(server, max_bytes=len(BODY)).reason is Reason.PUBLISHED


def test_a_server_that_sends_a_byte_a_connection_is_given_up(server: BadServer, fetch: Fetch) -> None:
    server.steps = [cut(1)] * 50
    error = failure(fetch, server, attempts=3)
    assert error.reason is Reason.SOURCE_UNREACHABLE
    assert len(server.requests) == 3


@pytest.mark.parametrize(("seconds", "attempts"), [(70, 3), (10_000, 3), (5, None)])
def test_a_server_that_sends_too_slowly_is_given_up(
    server: BadServer, volume: Path, seconds: float, attempts: int | None
) -> None:
    """Each look at the clock finds it so many seconds later; one comes for at most 64 KiB."""
    workspace = Workspace(volume, KEY)
    workspace.make_partial()
    ticks = count(step=seconds)
    request = Request(server.url + "/voice.onnx", server.sha256, attempts=3, backoff_seconds=0.01)
    download = Download(request, workspace, Progress(), clock=lambda: next(ticks))
    if attempts is None:
        download.run()
        return
    with pytest.raises(FetchError, match=r"/voice.onnx sends only \d+ bytes a second, less than 1024") as caught:
        download.run()
    assert caught.value.reason is Reason.SOURCE_UNREACHABLE
    assert len(server.requests) == attempts


def test_without_a_limit_a_source_without_a_length_does_not_fill_the_volume(
    server: BadServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "free_bytes", lambda _: 600_001)  # the file has 600,000 bytes
    server.steps = [header("Content-Length", None)]
    error = failure(fetch, server)
    assert error.reason is Reason.DISK_FULL
    assert "the download is larger than the limit of 527.3 KiB" in str(error)
    monkeypatch.setattr(workspaces, "free_bytes", lambda _: 700_000)
    assert fetch(server).reason is Reason.PUBLISHED
