"""Accepts connections, a bounded number at once: uvicorn accepts any number, and gives TLS handshakes a minute."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from functools import partial

from ttsworker.clock import Clock
from ttsworker.http.connection import Connection
from ttsworker.http.connection_limit import ConnectionLimit

HANDSHAKE_SECONDS = 8.0
"""Time for a TLS handshake: a slow mobile network needs two or three."""

ACCEPTS_AT_ONCE = 64
"""New connections before others have their turn in the event loop."""

RETRY_SECONDS = 0.1
"""Until it looks again for room."""

FAILURE_SECONDS = 1.0
"""Until it tries again where the system has no file descriptors left; a loop of tries would take a whole CPU."""

log = logging.getLogger(__name__)


class Listener:
    """Accepts the connections of one socket. uvicorn takes it for an asyncio.Server."""

    def __init__(
        self,
        listening: socket.socket,
        connect: Callable[[], Connection],
        *,
        limit: ConnectionLimit,
        clock: Clock,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._socket = listening
        self._connect = connect
        self._limit = limit
        self._clock = clock
        self._tls = tls
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        listening.settimeout(0)
        self._listen()

    def close(self) -> None:
        """Accept no more, and give up handshakes."""
        self._closed = True
        asyncio.get_running_loop().remove_reader(self._socket)
        for task in self._opening:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return at once: uvicorn waits for the connections itself."""

    def _listen(self) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _pause(self, seconds: float) -> None:
        """Leave new connections to the kernel for a while."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        loop.call_later(seconds, self._listen)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            if not self._limit.has_room():
                self._pause(RETRY_SECONDS)
                return
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("cannot accept connections: %s", error.strerror)
                self._pause(FAILURE_SECONDS)
                return
            self._start(accepted)

    def _start(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        connection = self._connect()
        self._limit.add(connection)
        task = asyncio.get_running_loop().create_task(self._open(accepted, connection))
        connection.opening = task
        self._opening.add(task)
        task.add_done_callback(partial(self._opened, accepted, connection))

    async def _open(self, accepted: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            await loop.connect_accepted_socket(lambda: connection, accepted)
            return
        async with self._clock.timeout(HANDSHAKE_SECONDS):
            await loop.connect_accepted_socket(lambda: connection, accepted, ssl=self._tls)

    def _opened(self, accepted: socket.socket, connection: Connection, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        failure = None if task.cancelled() else task.exception()
        if task.cancelled() or failure:
            log.debug("a connection was not opened", exc_info=failure)  # the client left, or speaks no TLS
            accepted.close()
            self._limit.remove(connection)
