"""Connections are bounded, and whoever holds them keeps nobody out: on both ports, with TLS and without."""

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge

from tests.support.certificates import make_pair
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import ask
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.raw_http import TIMEOUT, raw
from tests.support.worker.serving import PATIENCE_SECONDS, Served, serving, until
from ttsworker.clock import Clock
from ttsworker.http import connection, connection_limit, listener, metrics_server
from ttsworker.http.connection_limit import ConnectionLimit
from ttsworker.http.metrics_server import MetricsServer
from ttsworker.http.server import listen
from ttsworker.http.tls import Certificate

MOST = 8


class Noted(ConnectionLimit):
    """Tells how many connections it has."""

    @property
    def idle(self) -> int:
        return len(self._idle)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[Noted]:
    """Allow few connections; returns the limits of the servers that were started."""
    made: list[Noted] = []

    def note(most: int, port: str, clock: Clock) -> Noted:
        made.append(Noted(most, port, clock))
        return made[-1]

    for module in ("server", "metrics_server"):
        monkeypatch.setattr(f"ttsworker.http.{module}.ConnectionLimit", note)
    monkeypatch.setattr("ttsworker.http.server.most_connections", lambda _: MOST)
    monkeypatch.setattr(metrics_server, "MAX_CONNECTIONS", MOST)
    monkeypatch.setattr(connection_limit, "GRACE_SECONDS", 0)
    return made


@contextlib.contextmanager
def holding(port: int, sent: bytes = b"", number: int = MOST) -> Iterator[list[socket.socket]]:
    """Hold so many connections that sent something and then nothing."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(number)]
        for each in held:
            each.sendall(sent)
        yield held


HOLDS = {
    "nothing": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHo",
    "half a body": b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    "no chunk": b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    "an answer": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a refusal": b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    "many answers and half a body": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 9
    + b"POST /process HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
}


@pytest.mark.parametrize("name", HOLDS)
async def test_who_holds_all_connections_keeps_no_probe_out(name: str, limits: list[Noted]) -> None:
    async with serving(ArtificialEngine(), clock=ManualClock()) as served:
        with holding(served.port, HOLDS[name]):
            await until(lambda: limits[0].idle == MOST)
            for path in ("/health", "/ready", "/v1/models"):
                for _ in range(MOST):
                    assert await probe(served, path) == 200
            assert len(limits[0]) <= MOST
        await until(lambda: len(limits[0]) == 0)


async def probe(served: Served, path: str) -> int:
    """Ask as a kubelet does, on a connection of its own."""
    head, _ = await raw(served, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    return int(head.split()[1])


async def test_a_flood_of_connections_stays_within_the_limit(limits: list[Noted]) -> None:
    async with serving(ArtificialEngine()) as served:
        with holding(served.port, number=50), holding(served.port, HOLDS["half a body"], number=50):
            assert await probe(served, "/health") == 200
            assert len(limits[0]) <= MOST
            assert (await ask(served, "Hello.")).status_code == 200
        await until(lambda: len(limits[0]) == 1)  # the client's own


async def test_requests_that_are_answered_are_not_closed(limits: list[Noted]) -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        asked = [ask(served, f"Number {number}.") for number in range(MOST)]
        await until(lambda: served.worker.admission.accepted == MOST)
        probing = asyncio.create_task(probe(served, "/health"))
        assert not limits[0].has_room()
        with holding(served.port, number=3):
            assert served.worker.admission.accepted == len(limits[0]) == MOST
        engine.gate.set()
        assert [(await each).status_code for each in asked] == [200] * MOST
        assert await probing == 200
        assert len(limits[0]) <= MOST


@pytest.mark.usefixtures("limits")
async def test_who_asks_ahead_without_end_keeps_no_probe_out() -> None:
    engine = ArtificialEngine()
    async with serving(engine) as served:
        engine.gate.clear()
        with holding(served.port, b"GET /api/tts?text=One. HTTP/1.1\r\nHost: x\r\n\r\n" * 100):
            await until(lambda: served.worker.admission.accepted == MOST)
            for _ in range(3 * MOST):
                assert await probe(served, "/health") == 200
            engine.gate.set()


async def test_who_reads_no_answer_of_many_is_given_up(limits: list[Noted], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_AHEAD", 2000)  # more answers than the kernel takes
    clock = ManualClock()
    async with serving(
        ArtificialEngine(), clock=clock, request_timeout_seconds=TIMEOUT, health_interval_seconds=3600
    ) as served:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(0)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", served.port))
            await loop.sock_sendall(client, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
            await until(lambda: clock.call_due_in(2 * TIMEOUT))
            clock.advance(2 * TIMEOUT)
            await until(lambda: len(limits[0]) == 0)


async def test_without_file_descriptors_it_accepts_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "FAILURE_SECONDS", 0.01)
    accept, left = socket.socket.accept, [1, 1, 1]

    def fail(listening: socket.socket) -> tuple[socket.socket, object]:
        if left:
            left.pop()
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listening)

    async with serving(ArtificialEngine()) as served:
        monkeypatch.setattr(socket.socket, "accept", fail)
        assert (await served.client.get("/health")).status_code == 200
    lines = [line.message for line in caplog.records if "accept" in line.message]
    assert lines == ["cannot accept connections: Too many open files"] * 3


@contextlib.asynccontextmanager
async def serving_tls(folder: Path, clock: ManualClock) -> AsyncIterator[int]:
    pair = make_pair(folder, "one")
    async with serving(
        ArtificialEngine(),
        clock=clock,
        certificate=Certificate(pair.chain, pair.key),
        request_timeout_seconds=TIMEOUT,
        health_interval_seconds=3600,
    ) as served:
        yield served.port


async def probe_tls(port: int) -> int:
    async with httpx.AsyncClient(verify=False, timeout=PATIENCE_SECONDS) as client:  # noqa: S501 - as a kubelet does
        return (await client.get(f"https://127.0.0.1:{port}/health")).status_code


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
async def test_a_handshake_has_seconds_whatever_the_settings_say(
    sent: bytes, limits: list[Noted], tmp_path: Path
) -> None:
    clock = ManualClock()
    assert 5 <= listener.HANDSHAKE_SECONDS <= 10
    async with serving_tls(tmp_path, clock) as port:
        with holding(port, sent, number=3) as held:
            await until(lambda: len(limits[0]) == 3 and clock.due_in(listener.HANDSHAKE_SECONDS))
            clock.advance(listener.HANDSHAKE_SECONDS)
            await until(lambda: len(limits[0]) == 0)
            for each in held:
                await asyncio.to_thread(each.settimeout, PATIENCE_SECONDS)
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.to_thread(each.recv, 1) == b""
        assert await probe_tls(port) == 200


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half a hello"])
async def test_handshakes_keep_no_probe_out(sent: bytes, limits: list[Noted], tmp_path: Path) -> None:
    async with serving_tls(tmp_path, ManualClock()) as port:
        with holding(port, sent, number=3 * MOST):
            await until(lambda: len(limits[0]) == MOST)
            for _ in range(MOST):
                assert await probe_tls(port) == 200
            assert len(limits[0]) <= MOST
        await until(lambda: len(limits[0]) == 0)


async def test_what_is_no_handshake_leaves_nothing(limits: list[Noted], tmp_path: Path) -> None:
    async with serving_tls(tmp_path, ManualClock()) as port:
        for sent in (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\x00\x05hello"):
            with holding(port, sent):
                await until(lambda: len(limits[0]) == 0)
        context = ssl.create_default_context()  # it does not trust the certificate
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection("127.0.0.1", port, ssl=context)
        await until(lambda: len(limits[0]) == 0)
        assert await probe_tls(port) == 200


@pytest.fixture
def metrics() -> Iterator[str]:
    """A running metrics server; yields its URL."""
    registry = CollectorRegistry()
    Gauge("tts_example", "An example.", registry=registry).set(7)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = MetricsServer(listening, registry)
    yield f"http://127.0.0.1:{port}/metrics"
    server.close()
    assert "metrics" not in {thread.name for thread in threading.enumerate()}


async def test_metrics_do_not_wait_for_the_event_loop_of_the_api(metrics: str) -> None:
    for _ in range(3):
        answer = httpx.get(metrics, timeout=PATIENCE_SECONDS)  # noqa: ASYNC210 - this event loop stands still meanwhile
        assert "tts_example 7.0" in answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=")


@pytest.mark.parametrize("name", ["nothing", "half a head", "half a body", "an answer"])
def test_the_metrics_port_has_one_thread_and_a_limit(name: str, limits: list[Noted], metrics: str) -> None:
    threads = threading.active_count()
    with holding(httpx.URL(metrics).port or 0, HOLDS[name], number=5 * MOST):
        for _ in range(MOST):
            assert httpx.get(metrics, timeout=PATIENCE_SECONDS).status_code == 200
        assert threading.active_count() == threads
        assert len(limits[0]) <= MOST


def test_what_the_metrics_port_answers(metrics: str) -> None:
    with httpx.Client(timeout=PATIENCE_SECONDS) as client:
        packed = client.get(metrics, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "tts_example 7.0" in packed.text
        openmetrics = client.get(metrics, headers={"Accept": "application/openmetrics-text"})
        assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
        head = client.head(metrics)
        assert (head.status_code, head.content) == (200, b"")
        options = client.options(metrics)
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        for method in ("POST", "PUT", "DELETE"):
            refused = client.request(method, metrics, content=b"x")
            assert (refused.status_code, refused.json()["error"]["code"]) == (405, "method_not_allowed")
            assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
        wrong = client.get(metrics, headers=[(b"Accept", b"\xff\xfe")])
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_query")
        large = client.get(metrics, headers={"X-Large": "x" * 300_000})
        assert large.status_code == 431
