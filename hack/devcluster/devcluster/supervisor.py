"""The process inside the namespaces: starts the parts in order, watches them, and ends them.

It never restarts a part. It records an ended part in the report, which `status` shows, so that people can look into it.
"""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from devcluster import bootstrap, namespaces, parts, pauseimage
from devcluster.api import Api
from devcluster.config import CONTAINERD_SOCKET
from devcluster.parts import Part
from devcluster.paths import SOURCES, State
from devcluster.terminal import Failure

_START_SECONDS = 240.0
_STOP_SECONDS = 10.0


class _Stopped(Exception):
    """The supervisor received a signal to end."""


def run(state: State, programs: Path, port: int, listener: int, gpus: int) -> int:
    """Run as the first process of the namespaces: reap orphans, and exit when the child supervisor exits."""
    supervisor = os.fork()
    if supervisor == 0:
        return Supervisor(state, programs, port, listener, gpus).run()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(supervisor, signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == supervisor:
            return os.waitstatus_to_exitcode(status)


class Supervisor:
    """Starts, watches and ends the parts of one cluster."""

    def __init__(self, state: State, programs: Path, port: int, listener: int, gpus: int) -> None:
        self._state, self._programs, self._port, self._listener, self._gpus = state, programs, port, listener, gpus
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._exits: dict[str, int] = {}
        self._started = time.monotonic()
        # No other variables of the caller: a proxy for the internet would receive requests to pods.
        self._environment = {"PATH": f"{programs}:{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": "/root"}

    def run(self) -> int:
        """Run until a signal to end, or until the start fails."""
        signal.signal(signal.SIGTERM, self._stop)
        try:
            self._start()
            while True:
                time.sleep(1)
                if self._note_exits():
                    self._report("ready")
        except _Stopped:
            self._report("stopping")
        except (Failure, OSError) as failure:  # the API's errors are OSErrors
            self._report("failed", str(failure))
            return 1
        finally:
            self._end_parts()
        self._report("stopped")
        return 0

    def _stop(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Stopped

    def _start(self) -> None:
        started = dt.datetime.now(dt.UTC)
        state, programs = self._state, self._programs
        self._report("preparing namespaces")
        namespaces.prepare(state)
        self._launch(parts.etcd(state, programs))
        self._launch(parts.containerd(state, programs))
        self._launch(self._forwarder(), pass_fds=(self._listener,))
        self._launch(parts.apiserver(state, programs, self._port))
        self._wait(lambda: "" if CONTAINERD_SOCKET.exists() else "containerd")
        pauseimage.load(programs)
        api = Api(self._port, state.pki)
        self._wait(lambda: "" if api.is_ready() else "the API server")
        for part in (parts.controller_manager, parts.scheduler, parts.kubelet, parts.proxy, parts.dns):
            self._launch(part(state, programs))
        bootstrap.create_objects(api)
        self._launch(parts.provisioner(state, programs))
        self._wait(lambda: bootstrap.missing(api, started))
        checked = [part(state, programs) for part in (parts.dns, parts.proxy, parts.kubelet)]
        self._wait(lambda: next((part.name for part in checked if not _answers(part.health)), ""))
        if self._gpus:
            bootstrap.set_gpus(api, self._gpus)
        self._report("ready")

    def _forwarder(self) -> Part:
        options = ["--listener", str(self._listener), "--port", str(self._port)]
        return Part("forwarder", [sys.executable, str(SOURCES), "forward", *options])

    def _launch(self, part: Part, pass_fds: tuple[int, ...] = ()) -> None:
        with self._state.log(part.name).open("wb") as log:
            self._running[part.name] = subprocess.Popen(
                part.command,
                env=self._environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=pass_fds,
                start_new_session=True,
            )

    def _wait(self, missing: Callable[[], str]) -> None:
        """Wait until nothing is missing, and report what is; raises Failure if a part ends meanwhile."""
        deadline = time.monotonic() + _START_SECONDS
        reported = ""
        while what := missing():
            if what != reported:
                self._report(f"waiting for {what}")
                reported = what
            for name in self._note_exits():
                raise Failure(f"{name} ended with exit code {self._exits[name]}: {_last_line(self._state.log(name))}")
            if time.monotonic() > deadline:
                raise Failure(f"timed out waiting for {what} after {_START_SECONDS:.0f} s; see {self._state.logs}")
            time.sleep(0.1)

    def _note_exits(self) -> list[str]:
        ended = [name for name, process in self._running.items() if process.poll() is not None]
        for name in ended:
            self._exits[name] = self._running.pop(name).returncode
        return ended

    def _end_parts(self) -> None:
        """Kill the parts whose state is not kept, but let containerd, whose store is kept, exit on its own."""
        for name, process in reversed(self._running.items()):
            if name != "containerd":
                process.kill()
                process.wait()
        if containerd := self._running.get("containerd"):
            containerd.terminate()
            try:
                containerd.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                containerd.kill()

    def _report(self, phase: str, message: str = "") -> None:
        print(f"{time.monotonic() - self._started:6.1f} s  {phase} {message}".rstrip(), flush=True)
        document = {
            "phase": phase,
            "message": message,
            "port": self._port,
            "programs": str(self._programs),
            "running": {name: process.pid for name, process in self._running.items()},
            "ended": self._exits,
        }
        draft = self._state.report.with_suffix(".new")
        draft.write_text(json.dumps(document, indent=1))
        draft.rename(self._state.report)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"
