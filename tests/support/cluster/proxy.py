"""A proxy in front of the API server that counts writes, and acts when a given one is done."""

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.cluster.kubectl import Object

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "content-length"}


class Writes:
    """Counts mutating requests; Leases do not count. After the last one that is allowed `then` is called."""

    def __init__(self, allowed: int | None, then: Callable[[], None]) -> None:
        self.count = 0
        self.over = False
        self._allowed = allowed
        self._then = then
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Take a number; False where no write is allowed any more."""
        with self._lock:
            if self._allowed is not None and self.count >= self._allowed:
                return False
            self.count += 1
            return True

    def end(self) -> bool:
        """A write is answered: whether it was the last, and `then` was called before anybody heard the answer."""
        with self._lock:
            if self.over or self._allowed is None or self.count < self._allowed:
                return self.over
            self.over = True
        self._then()
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: Callable[[], HTTPSConnection], token: str, writes: Writes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.upstream = upstream
        self.writes = writes
        self.connections: set[HTTPSConnection] = set()

    def hang_up(self) -> None:
        """End every watch, so that its thread ends."""
        for connection in list(self.connections):
            if connection.sock:
                with suppress(OSError):  # the other side may have been faster
                    connection.sock.shutdown(2)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream = self.server.upstream()
        self.server.connections.add(self.upstream)

    def finish(self) -> None:
        self.server.connections.discard(self.upstream)
        self.upstream.close()
        with suppress(OSError):  # flushing to a process that was killed
            super().finish()

    def handle(self) -> None:
        with suppress(OSError, HTTPException):  # a process that is killed hangs up in the middle of anything
            super().handle()

    def _pass_on(self) -> None:
        writes = self.command != "GET" and "/leases" not in self.path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if writes and not self.server.writes.begin():
            self.close_connection = True
            return
        # Some clients send no token where there is no TLS.
        headers = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = f"Bearer {self.server.token}"
        self.upstream.request(self.command, self.path, body, headers)
        answer = self.upstream.getresponse()
        if writes:
            content = answer.read()
            if self.server.writes.end():
                self.close_connection = True
                return
            self._answer(answer, len(content))
            self.wfile.write(content)
        else:
            self._answer(answer, None)
            self._stream(answer)

    def _answer(self, answer: HTTPResponse, length: int | None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header(*("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)))
        self.end_headers()

    def _stream(self, answer: HTTPResponse) -> None:
        """As it comes: a watch is answered for as long as it is open."""
        while piece := answer.read1(65536):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        answer.close()  # read1 does not notice the end of a known length; the next answer would be refused

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names the base class looks for

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def counting(cluster: Object, token: str, writes: Writes) -> Iterator[str]:
    """The address of a proxy to the API server of a kubeconfig's cluster entry, for the user of a token."""
    address = urlsplit(cluster["server"])
    trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())

    def upstream() -> HTTPSConnection:
        return HTTPSConnection(address.hostname or "", address.port, context=trust)

    with _Server(upstream, token, writes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.hang_up()
            thread.join()
