"""A web server that serves one body honestly by Range, and misbehaves in the way each answer of a test says."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

Step = Callable[["Answer"], None]


@dataclass
class Answer:
    """What the server is about to send; a step of a test changes it."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut_after: int | None = None
    pause: threading.Event | None = None
    pause_after: int = 0


@dataclass
class BadServer:
    """The server's script and its notes: `steps` are used up one by one, one for each request; then it is honest."""

    body: bytes
    ranges: bool = True
    etag: str | None = None
    steps: list[Step] = field(default_factory=list)
    requests: list[Mapping[str, str]] = field(default_factory=list)
    url: str = ""
    sent: int = 0

    def __post_init__(self) -> None:
        self.etag = self.etag or f'"{self.sha256[:12]}"'

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def answer(self, headers: Mapping[str, str]) -> Answer:
        """Return the honest answer, changed by the next step."""
        answer = self._honest(headers)
        if self.steps:
            self.steps.pop(0)(answer)
        return answer

    def _honest(self, headers: Mapping[str, str]) -> Answer:
        length = len(self.body)
        common = {"ETag": self.etag or "", "Accept-Ranges": "bytes"}
        match = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        if not match or not self.ranges or headers.get("If-Range", self.etag) != self.etag:
            return Answer(200, common | {"Content-Length": str(length)}, self.body)
        if (start := int(match[1])) >= length:
            return Answer(416, {"Content-Range": f"bytes */{length}", "Content-Length": "0"}, b"")
        rest = {"Content-Range": f"bytes {start}-{length - 1}/{length}", "Content-Length": str(length - start)}
        return Answer(206, common | rest, self.body[start:])


def cut(after: int) -> Step:
    """Close the connection after some bytes of the body."""

    def step(answer: Answer) -> None:
        answer.cut_after = after

    return step


def status(code: int, **headers: str) -> Step:
    """Answer with a status and no file."""

    def step(answer: Answer) -> None:
        answer.status, answer.body = code, b""
        answer.headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Length": "0"}

    return step


def header(name: str, value: str | None) -> Step:
    """Answer with another value of a header, or without it."""

    def step(answer: Answer) -> None:
        answer.headers.pop(name, None)
        if value is not None:
            answer.headers[name] = value

    return step


@contextmanager
def serving(server: BadServer, *, tls: tuple[Path, Path] | None = None) -> Iterator[BadServer]:
    """Run the server on loopback, with a certificate and its key where given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = dict(self.headers)
            server.requests.append(headers)
            answer = server.answer(headers)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            body = answer.body if answer.cut_after is None else answer.body[: answer.cut_after]
            if answer.pause is not None:
                self._send(body[: answer.pause_after])
                answer.pause.wait()
                body = body[answer.pause_after :]
            self._send(body)
            self.close_connection = True

        def _send(self, body: bytes) -> None:
            try:
                self.wfile.write(body)
                self.wfile.flush()
                server.sent += len(body)
            except ConnectionError:  # the program under test was killed
                return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = False
    if tls:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
    thread.start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_address[1]}"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
