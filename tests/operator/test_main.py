"""The program as it is started: settings, a cluster that is missing or not ready, and being asked to stop."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
from aiohttp import web

from tests.support.program import free_port

PROGRAM = (sys.executable, "-m", "ttsoperator")


class Process:
    """A running operator and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def until(self, pattern: str) -> re.Match[str]:
        assert self._process.stdout is not None
        while not (match := re.search(pattern, self.said)):
            line = await self._process.stdout.readline()
            assert line, f"it ended without saying {pattern!r}:\n{self.said}"
            self.said += line.decode()
        return match

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def end(self, number: signal.Signals | None = None) -> int:
        if number:
            self._process.send_signal(number)
        rest, _ = await self._process.communicate()
        self.said += rest.decode()
        assert self._process.returncode is not None
        return self._process.returncode


class Start(Protocol):
    async def __call__(self, *arguments: str, **environment: str) -> Process: ...


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts operators; none outlives its test."""
    started: list[Process] = []

    async def start(*arguments: str, **environment: str) -> Process:
        path = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            env=path | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started.append(Process(process))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        await process.end()


@pytest.fixture
async def api() -> AsyncIterator[str]:
    """An API server without our CRD."""

    async def missing(_: web.Request) -> web.Response:
        return web.Response(status=404, text="404 page not found\n")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", missing)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def kubeconfig(folder: Path, server: str) -> str:
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [context],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config))
    return str(file)


async def test_bad_settings_are_named_and_end_it(start: Start) -> None:
    process = await start(TTS_OPERATOR_WORKERS="many", TTS_OPERATOR_METRICS_PORT="-1")
    assert await process.end() == 2
    assert len(process.said.splitlines()) == 2
    assert "TTS_OPERATOR_WORKERS: Input should be a valid integer" in process.said
    assert "TTS_OPERATOR_METRICS_PORT: " in process.said


async def test_help_names_every_setting(start: Start) -> None:
    process = await start("--help")
    assert await process.end() == 0
    assert "TTS_OPERATOR_WORKER_IMAGE" in process.said


async def test_without_a_cluster_one_line_says_what_to_do(start: Start, tmp_path: Path) -> None:
    process = await start(KUBECONFIG=str(tmp_path / "none"), TTS_OPERATOR_METRICS_PORT=str(free_port()))
    assert await process.end() == 1
    (line,) = process.said.splitlines()
    assert "no cluster found" in line
    assert "set KUBECONFIG" in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_missing_crd_is_waited_for_alive_but_not_ready_and_stopping_is_clean(
    start: Start, api: str, tmp_path: Path, number: signal.Signals
) -> None:
    process = await start(KUBECONFIG=kubeconfig(tmp_path, api), TTS_OPERATOR_METRICS_PORT=str(free_port()))
    port = (await process.until(r"probes on port (\d+)"))[1]
    await process.until("waiting for the CRD ttsservices.tts-operator.io: install the chart")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        async with session.get("/healthz") as response:
            assert response.status == 200
        async with session.get("/readyz") as response:
            assert response.status == 503
        async with session.get("/metrics") as response:
            assert 'tts_operator_api_requests_total{code="404",verb="GET"}' in await response.text()
    assert await process.end(number) == 0
    assert "Traceback" not in process.said
    for line in process.said.splitlines():
        assert {"timestamp", "level", "message", "module", "function", "line"} <= json.loads(line).keys()


async def test_an_api_server_that_is_away_is_waited_for(start: Start, tmp_path: Path) -> None:
    process = await start(
        KUBECONFIG=kubeconfig(tmp_path, "http://127.0.0.1:1"), TTS_OPERATOR_METRICS_PORT=str(free_port())
    )
    await process.until(r"waiting for the API server: no answer from http://127.0.0.1:1")
    assert await process.end(signal.SIGTERM) == 0


async def test_a_taken_port_is_one_clear_line(start: Start, api: str, tmp_path: Path) -> None:
    port = api.rpartition(":")[2]
    process = await start(KUBECONFIG=kubeconfig(tmp_path, api), TTS_OPERATOR_METRICS_PORT=port)
    assert await process.end() == 1
    assert f"address ('0.0.0.0', {port})" in process.said.splitlines()[-1]
    assert "Traceback" not in process.said
