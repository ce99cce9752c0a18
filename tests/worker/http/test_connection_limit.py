"""Connections are bounded, and whoever holds them keeps nobody out: on both ports, with TLS and without."""

import asyncio
import contextlib
import errno
import resource
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
from tests.support.worker.serving import PATIENCE_SECONDS, Served, serve_worker, serving, until
from ttsworker.clock import Clock
from ttsworker.http import connection, connection_limit, listener, metrics_server
from ttsworker.http.connection_limit import GRACE_SECONDS, LOG_SECONDS, ConnectionLimit, most_connections
from ttsworker.http.metrics_server import MetricsServer
from ttsworker.http.server import listen
from ttsworker.http.tls import Certificate
from ttsworker.settings import Settings
from ttsworker.worker import Worker

MOST = 8


class Held:
    evicted = False

    def evict(self) -> None:
        self.evicted = True


def test_the_one_that_is_idle_longest_makes_room() -> None:
    limit = ConnectionLimit(3, "API", ManualClock())
    first, second, third, fourth, fifth = connections = [Held() for _ in range(5)]
    for each in (first, second, third):
        limit.add(each)
    limit.set_busy(first)
    limit.set_busy(second)
    limit.set_idle(second)  # now it is idle after the third
    limit.add(fourth)
    assert [each.evicted for each in connections] == [False, False, True, False, False]
    limit.set_busy(third)  # it closes: it is not counted any more
    limit.set_idle(third)
    limit.add(fifth)
    assert [each.evicted for each in connections] == [False, True, True, False, False]
    assert len(limit) == 3
    for each in connections:
        limit.remove(each)
    assert len(limit) == 0


def test_while_all_are_busy_or_new_others_wait() -> None:
    clock = ManualClock()
    limit = ConnectionLimit(2, "API", clock)
    first, second = Held(), Held()
    for each in (first, second):
        assert limit.has_room()
        limit.add(each)
    assert not limit.has_room()  # their requests may be on their way
    clock.advance(GRACE_SECONDS)
    assert limit.has_room()
    limit.set_busy(first)
    limit.set_busy(second)
    clock.advance(3600)
    assert not limit.has_room()
    limit.set_idle(second)  # it has had its answer
    assert limit.has_room()
    limit.set_busy(second)
    limit.remove(first)
    assert limit.has_room()
    assert not first.evicted
    assert not second.evicted


def test_a_flood_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    limit = ConnectionLimit(1, "API", clock)
    limit.add(Held())
    for _ in range(2):
        for _ in range(1000):
            limit.add(Held())
        clock.advance(LOG_SECONDS)
    limit.add(Held())
    for _ in range(1000):
        assert not limit.has_room()
    lines = [(vars(line)["port"], vars(line)["limit"], vars(line)["replaced"]) for line in caplog.records]
    assert lines == [("API", 1, 1), ("API", 1, 1000), ("API", 1, 1000)]


def test_the_limit_follows_settings_and_file_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors = 1 << 20
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    settings = Settings(max_concurrency=10, max_queue_length=90)
    assert most_connections(settings) == connection_limit.SPARE_CONNECTIONS + 200
    descriptors = 1024
    assert most_connections(settings) == 512
    descriptors = resource.RLIM_INFINITY
    assert most_connections(settings) > 2000


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
    settings = Settings(termination_log=Path("/nowhere"), request_timeout_seconds=TIMEOUT, health_interval_seconds=3600)
    worker = Worker(settings, make_engine=lambda _: ArtificialEngine(), clock=clock)
    listening, stop = listen("127.0.0.1", 0), asyncio.Event()
    ended = asyncio.create_task(serve_worker(worker, listening, stop, Certificate(pair.chain, pair.key)))
    try:
        await until(lambda: worker.admission.state == "open")
        yield listening.getsockname()[1]
    finally:
        stop.set()
        await ended


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
