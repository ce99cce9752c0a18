"""examples/compose: the files are valid, and what they describe speaks, spreads, survives a worker and limits clients.

There is no container engine here: each service runs by its own command line and environment of the file, and its own
configuration. `docker compose` gives the services names and addresses; here they have ports of loopback.
"""

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from typing import Any

import httpx
import pytest
import yaml
from compose_spec import PyCompose

from tests.support.compose import FOLDER, Required, load
from tests.support.haproxy import running_haproxy
from tests.support.judge import SENTENCES, recognise
from tests.support.program import free_port
from tests.support.valkey import Valkey, running_valkey
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, worker_process
from ttsworker.settings import Settings

WORKERS = ("worker-1", "worker-2")
GPU = {"TTS_MODEL_DIR": "/models/vits"}
CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"


@pytest.mark.parametrize("names", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]])
def test_the_files_are_valid(names: list[str]) -> None:
    project = load(*names, variables=GPU)
    assert set(PyCompose.from_yaml(yaml.safe_dump(project)).service_names()) == {*WORKERS, "valkey", "haproxy"}
    for name, service in project["services"].items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert not service["image"].endswith(":latest"), name
        assert ":" in service["image"], name
        assert all(volume.endswith(":ro") for volume in service.get("volumes", [])), name
    assert [name for name, service in project["services"].items() if "ports" in service] == ["haproxy"]


def test_with_the_override_each_worker_has_a_gpu_of_its_own() -> None:
    with pytest.raises(Required, match="folder of a Coqui model"):
        load("compose.yaml", "compose.gpu.yaml")
    services = load("compose.yaml", "compose.gpu.yaml", variables=GPU)["services"]
    devices = [services[name]["deploy"]["resources"]["reservations"]["devices"] for name in WORKERS]
    assert [device["device_ids"] for [device] in devices] == [["0"], ["1"]]
    for name in WORKERS:
        environment = services[name]["environment"]
        assert (environment["TTSWORKER_ENGINE"], services[name]["image"]) == ("coqui", "localhost/tts-worker:dev-coqui")
        assert environment["TTSWORKER_REDIS_URL"] == "redis://valkey:6379/0"  # the rest is as without a GPU


def test_only_haproxy_has_the_address_that_the_workers_trust() -> None:
    project = load("compose.yaml", variables={"TTS_NETWORK": "10.9.8"})
    [network] = project["networks"]["tts"]["ipam"]["config"]
    address = IPv4Address(project["services"]["haproxy"]["networks"]["tts"]["ipv4_address"])
    assert address in IPv4Network(network["subnet"])
    assert address not in IPv4Network(network["ip_range"])
    assert IPv4Network(network["ip_range"]).subnet_of(IPv4Network(network["subnet"]))
    for name in WORKERS:
        assert project["services"][name]["environment"]["TTSWORKER_TRUSTED_PROXIES"] == str(address) == "10.9.8.2"


def test_the_proxy_waits_longer_than_the_workers() -> None:
    configuration = (FOLDER / "haproxy.cfg").read_text()
    assert f"timeout server {Settings().request_timeout_seconds + 15:g}s" in configuration
    [grace] = {load("compose.yaml")["services"][name]["stop_grace_period"] for name in WORKERS}
    assert int(grace.removesuffix("s")) > Settings().drain_timeout_seconds


@dataclass
class Stack:
    """The running services; `places` has the addresses of loopback that stand for names and ports in the file."""

    services: dict[str, Any]
    places: dict[str, str]
    valkey: Valkey
    running: ExitStack
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.places['haproxy:5002']}"

    def client(self, address: str) -> httpx.Client:
        """A client with an address of its own on loopback."""
        transport = httpx.HTTPTransport(local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=PATIENCE_SECONDS)

    def healthy(self, name: str) -> bool:
        """Run the service's health check; wget, which is in HAProxy's image only, by a request of ours."""
        # In its container a worker has its usual port.
        here = self.places[f"{name}:5002"]
        _, *check = self.services[name]["healthcheck"]["test"]
        words = [self.placed(word.replace("127.0.0.1:5002", here)) for word in check]
        if words[0] == "wget":
            return httpx.get(words[-1], timeout=PATIENCE_SECONDS).is_success
        assert words[0] == "python"
        return subprocess.run([sys.executable, *words[1:]], check=False, capture_output=True).returncode == 0

    def environment(self, name: str) -> dict[str, str]:
        """The service's environment."""
        return {key: self.placed(value) for key, value in self.services[name]["environment"].items()}

    def start(self, name: str) -> WorkerProcess:
        """Start a worker and wait until it is ready."""
        own = {"TTSWORKER_PORT": self.places[f"{name}:5002"].rpartition(":")[2]}
        worker = self.running.enter_context(worker_process(self.environment(name) | own))
        self.workers.append(worker)
        worker.wait_for("ready")
        return worker

    def placed(self, text: str) -> str:
        """Put addresses of loopback where the file has names and ports of containers."""
        for name, place in self.places.items():
            text = text.replace(name, place)
        return text


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for does not come"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("compose")
    services = load("compose.yaml")["services"]
    with ExitStack() as running:
        program, *options = services["valkey"]["command"]
        assert program == "valkey-server"
        valkey = running.enter_context(running_valkey(folder, *options))
        ports = {name: free_port() for name in (*WORKERS, "haproxy", "status")}
        places = {"valkey:6379": f"127.0.0.1:{valkey.port}", "127.0.0.1:8404": f"127.0.0.1:{ports['status']}"}
        places[services["haproxy"]["networks"]["tts"]["ipv4_address"]] = "127.0.0.1"
        places |= {f"{name}:5002": f"127.0.0.1:{ports[name]}" for name in (*WORKERS, "haproxy")}
        stack = Stack(services, places, valkey, running)
        for name in WORKERS:
            stack.start(name)
        program, *options = services["haproxy"]["command"]
        assert (program, options[-1]) == ("haproxy", CONFIGURATION)
        assert f"./haproxy.cfg:{CONFIGURATION}:ro" in services["haproxy"]["volumes"]
        options[-1] = str(FOLDER / "haproxy.cfg")
        environment = stack.environment("haproxy") | {"LISTEN": stack.placed("haproxy:5002")}
        running.enter_context(running_haproxy(options, environment, folder / "haproxy.log"))
        until(lambda: _answers(stack))
        yield stack


def _answers(stack: Stack) -> bool:
    try:
        return stack.healthy("haproxy")
    except httpx.TransportError:
        return False


ADDRESSES = (f"127.0.{high}.{low}" for high in count(1) for low in range(1, 255))


def speak(stack: Stack, text: str, **headers: str) -> httpx.Response:
    """Ask for speech, from an address that nobody asked from before."""
    with stack.client(next(ADDRESSES)) as client:
        return client.post("/v1/audio/speech", json={"input": text, "response_format": "wav"}, headers=headers)


def spoken_by(worker: WorkerProcess) -> int:
    wanted = {"message": "request", "method": "POST", "path": "/v1/audio/speech", "status": "200"}
    return sum(line | wanted == line for line in list(worker.lines))


def test_it_speaks_through_the_proxy(stack: Stack) -> None:
    answer = speak(stack, SENTENCES[2])
    assert answer.status_code == 200
    assert recognise(answer.content) == SENTENCES[2]


def test_every_service_is_healthy_by_its_own_check(stack: Stack) -> None:
    for name in (*WORKERS, "haproxy"):
        assert stack.healthy(name), name
    assert stack.services["valkey"]["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]


def test_both_workers_speak_and_share_the_cache(stack: Stack) -> None:
    until(lambda: all(spoken_by(worker) for worker in stack.workers) or not speak(stack, f"Number {time.time()}."))
    first, second = (speak(stack, SENTENCES[0]) for _ in range(2))
    assert first.content == second.content
    assert stack.valkey.client.dbsize() > 0


def test_a_client_is_who_the_proxy_says(stack: Stack) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9"}
    monitoring = stack.valkey.client.monitor()  # type: ignore[no-untyped-call]
    with monitoring as monitor, stack.client("127.0.0.77") as client:
        assert client.post("/v1/audio/speech", json={"input": "Hi."}, headers=forged).status_code == 200
        counted = next(each["command"] for each in monitor.listen() if "address:" in each["command"])
    assert "address:127.0.0.77 " in counted


def test_more_than_ten_requests_a_second_are_refused_as_the_workers_refuse_them(stack: Stack) -> None:
    address = next(ADDRESSES)
    answers: list[httpx.Response] = []

    def ask(client: httpx.Client) -> None:
        answers.append(client.post("/v1/audio/speech", json={}))  # the worker answers 400 at once

    with stack.client(address) as client, ThreadPoolExecutor(8) as pool:
        until(lambda: [*pool.map(ask, [client] * 40)] and any(each.status_code == 429 for each in answers))
        assert client.get("/").status_code == 200  # the page is free
        assert speak(stack, "Somebody else is served.").status_code == 200
    assert {each.status_code for each in answers} == {400, 429}
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"] == "application/json"
    error = refused.json()["error"]
    theirs = next(each for each in answers if each.status_code == 400).json()["error"]
    assert error.keys() == theirs.keys()
    assert (error["type"], error["code"], error["param"]) == ("rate_limit_error", "rate_limit_exceeded", None)
    assert sum(each.status_code == 400 for each in answers) >= 10


def test_every_answer_of_the_proxy_itself_has_the_form_of_openais_api() -> None:
    lines = (FOLDER / "haproxy.cfg").read_text().splitlines()
    bodies = [shlex.split(line)[shlex.split(line).index("string") + 1] for line in lines if " string " in line]
    assert len(bodies) == 6
    for body in bodies:
        assert json.loads(body)["error"].keys() == {"message", "type", "param", "code"}


def test_a_worker_may_be_killed_restarted_and_stopped_while_clients_ask(stack: Stack) -> None:
    first, second = stack.workers
    first.process.send_signal(signal.SIGKILL)
    for number in range(6):
        assert_spoken(speak(stack, f"Request {number} goes on."))
    restarted = stack.start("worker-1")
    until(lambda: speak(stack, f"Number {time.time()}.").status_code == 200 and spoken_by(restarted))
    with ThreadPoolExecutor(4) as pool:
        before = spoken_by(restarted) + spoken_by(second)
        asked = [pool.submit(speak, stack, f"This is sentence {number} of a dozen.") for number in range(24)]
        until(lambda: spoken_by(restarted) + spoken_by(second) > before)
        second.process.send_signal(signal.SIGTERM)
        for each in asked:
            assert_spoken(each.result())
    assert second.process.wait(PATIENCE_SECONDS) == 0


def assert_spoken(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content[:4]) == (200, b"RIFF")


def test_when_no_worker_is_left_the_proxy_says_so(stack: Stack) -> None:
    for worker in stack.workers:
        worker.process.kill()
    until(lambda: not stack.healthy("haproxy"))
    answer = speak(stack, "Nobody is left.")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["code"] == "no_worker"
