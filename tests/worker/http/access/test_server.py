"""Keys around a real server: who is let in, who is not, and what the log says."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, poll
from tests.support.worker.keyed import BEARER, HELLO, code_of, rejected
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.mounted import Mounted
from tests.support.worker.serving import PATIENCE_SECONDS, Served, serving, until, worker_process
from ttsworker.http.access.keyfile import CHECK_SECONDS
from ttsworker.http.access.middleware import OPEN_PATHS
from ttsworker.settings import InvalidSettings, Settings
from ttsworker.worker import Worker


@pytest.mark.parametrize(
    "headers",
    [BEARER, {"Authorization": "bearer  alices-key-for-tests"}, {"X-API-Key": "alices-key-for-tests"},
     {**BEARER, "X-API-Key": "wrong"},
     {"Authorization": "Bearer unused", "X-API-Key": "alices-key-for-tests"},
     {"Authorization": "Basic YTpi", "X-API-Key": "alices-key-for-tests"}],
)  # fmt: skip
async def test_a_right_key_lets_in(keys: Path, headers: dict[str, str]) -> None:
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        assert (await served.client.post(SPEECH, json=HELLO, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer wrong"}, {"Authorization": "alices-key-for-tests"},
     {"Authorization": "Basic alices-key-for-tests"}, {"X-API-Key": "wrong"}, {"X-API-Key": ""},
     {"Authorization": "Bearer alices-key-for-tests2"}, {"Authorization": "Bearer ALICES-KEY-FOR-TESTS"}],
)  # fmt: skip
async def test_no_key_and_a_wrong_one_are_401(keys: Path, headers: dict[str, str]) -> None:
    engine = ArtificialEngine()
    async with serving(engine, api_keys_file=keys) as served:
        answer = await served.client.post(SPEECH, json=HELLO, headers=headers)
        assert (answer.status_code, code_of(answer)) == (401, "invalid_api_key")
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["x-request-id"]
        assert rejected(served, "invalid_api_key") == 1
        assert engine.begun == []


async def test_every_path_but_the_open_ones_needs_a_key(keys: Path) -> None:
    protected = (
        "/v1/models", "/v1/audio/models", "/v1/audio/voices", SPEECH, "/v1", "/api/tts", "/process", "/locales",
        "/voices", "/details", "/speakers", "/nowhere", "/health/x", "/health/../v1/models", "/HEALTH",
        "/v1/models?x=/health", "/%2e/health", "/openapi.json/x", "/metrics", "/docs",
    )  # fmt: skip
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            for path in protected:
                answer = await served.client.request(method, path)
                assert (path, answer.status_code) == (path, 401)
        for path in OPEN_PATHS:
            assert (await served.client.get(path)).status_code in {200, 404}
        for path in ("/health", "/ready", "/openapi.json", "/health/", "/openapi.json/"):  # a trailing slash is nothing
            assert (await served.client.get(path)).status_code == 200
        assert (await served.client.get("/v1/models", headers=BEARER)).status_code == 200
        assert (await served.client.get("/nowhere", headers=BEARER)).status_code == 404


WRONG = {"X-API-Key": "a-wrong-key"}


async def test_wrong_keys_are_limited_by_address(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = ManualClock()
    async with serving(ArtificialEngine(), clock=clock, api_keys_file=keys, trusted_proxies=["127.0.0.0/8"]) as served:

        async def ask(address: str, headers: dict[str, str]) -> httpx.Response:
            return await served.client.get("/v1/models", headers={**headers, "X-Forwarded-For": address})

        bob = {"X-API-Key": "bobs-key-for-tests"}
        assert (await ask("1.1.1.1", BEARER)).status_code == 200
        guesses = [await ask("1.1.1.1", {"X-API-Key": f"guess-{number}"}) for number in range(30)]
        assert [answer.status_code for answer in guesses] == [401] * 10 + [429] * 20
        assert code_of(guesses[-1]) == "too_many_wrong_keys"
        assert guesses[-1].headers["retry-after"] == "6"
        assert rejected(served, "too_many_wrong_keys") == 20
        assert (await ask("1.1.1.1", bob)).status_code == 429  # a right guess is not told from a wrong one
        assert (await ask("1.1.1.1", BEARER)).status_code == 200  # whoever works there goes on working
        assert (await ask("1.1.1.1", {})).status_code == 401
        assert (await ask("2.2.2.2", bob)).status_code == 200
        assert (await ask("2.2.2.2", WRONG)).status_code == 401
        clock.advance(6)
        assert (await ask("1.1.1.1", bob)).status_code == 200
        clock.advance(60)
        assert [(await ask("1.1.1.1", WRONG)).status_code for _ in range(11)] == [401] * 10 + [429]
    told = [vars(record) for record in caplog.records if record.getMessage() == "requests without a right key"]
    assert [(line["requests"], line["last_address"]) for line in told] == [(1, "1.1.1.1"), (33, "1.1.1.1")]
    lines = [vars(record) for record in caplog.records if record.getMessage() == "request"]
    assert {line["status"] for line in lines} == {"200"}


async def test_a_page_that_asks_without_a_key_is_not_a_guess(keys: Path) -> None:
    async with serving(ArtificialEngine(), clock=ManualClock(), api_keys_file=keys) as served:
        assert {(await served.client.get("/v1/models")).status_code for _ in range(30)} == {401}
        assert (await served.client.get("/v1/models", headers=BEARER)).status_code == 200


async def test_without_a_file_nobody_needs_a_key() -> None:
    async with serving(ArtificialEngine()) as served:
        assert (await served.client.post(SPEECH, json=HELLO)).status_code == 200
        assert (await served.client.post(SPEECH, json=HELLO, headers=BEARER)).status_code == 200


async def test_keys_are_swapped_under_load_without_a_failed_request(tmp_path: Path) -> None:
    secret = Mounted(tmp_path, b"alice old-key-for-tests rate=0\n")
    refused: list[int] = []
    asked = [0] * 4
    done = asyncio.Event()
    clock = ManualClock()

    async def ask(served: Served, number: int) -> None:
        """Use the old key until it is refused, then the new one, as a client does whose key is changed."""
        while not done.is_set():
            answer = await served.client.post(SPEECH, json=HELLO, headers={"X-API-Key": "both-key-for-tests"})
            asked[number] += 1
            if answer.status_code != 200:
                refused.append(answer.status_code)

    secret.swap(b"alice both-key-for-tests rate=0\nalice old-key-for-tests rate=0\n")
    async with serving(ArtificialEngine(), clock=clock, api_keys_file=secret.path) as served:
        clients = [asyncio.create_task(ask(served, number)) for number in range(4)]
        try:
            for version in range(5):
                fresh = f"version-{version}-for-tests"
                secret.swap(f"alice both-key-for-tests rate=0\nbob {fresh}\n".encode())
                clock.advance(CHECK_SECONDS)
                await poll(served, "/v1/models", {"X-API-Key": fresh})
            gone = await served.client.get("/v1/models", headers={"X-API-Key": "version-0-for-tests"})
            assert gone.status_code == 401
            await until(lambda: min(asked) > 5)
        finally:
            done.set()
            await asyncio.gather(*clients)
        assert refused == []
        assert min(asked) > 5


def test_no_key_is_in_the_log_and_the_name_is(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("alice alices-secret-key\n")
    with worker_process({"TTSWORKER_API_KEYS_FILE": str(path), "TTSWORKER_LOG_LEVEL": "DEBUG"}) as worker:
        worker.wait_for("ready")
        for key in ("alices-secret-key", "some-wrong-key"):
            httpx.post(worker.url + SPEECH, json=HELLO, headers={"Authorization": f"Bearer {key}"}, timeout=60)
            httpx.post(worker.url + SPEECH, json=HELLO, headers={"X-API-Key": key}, timeout=60)
        assert worker.wait_for("request", status="200")["client"] == "alice"
        assert "client" not in worker.wait_for("request", status="401")
        path.write_text("alice alices-secret-key nonsense\n")
        worker.terminate()
    assert not any("secret" in json.dumps(line) or "wrong-key" in json.dumps(line) for line in worker.lines)


def test_keys_that_cannot_be_used_end_the_worker_with_one_line() -> None:
    with worker_process({"TTSWORKER_API_KEYS_FILE": "/nowhere/keys"}) as worker:
        assert worker.process.wait(PATIENCE_SECONDS) == 2
    [line] = [line for line in worker.lines if line["level"] == "CRITICAL"]
    assert line["message"] == "api_keys_file: /nowhere/keys cannot be read: No such file or directory"
    assert not any("exception" in line for line in worker.lines)


async def test_a_wrong_address_of_redis_is_told_without_its_password() -> None:
    with pytest.raises(InvalidSettings, match="redis_url must be redis://") as error:
        Worker(Settings(redis_url=SecretStr("http://user:secret@localhost"), cache_ttl_seconds=0))
    assert "secret" not in str(error.value)


async def test_a_refused_upload_is_not_read_on(keys: Path) -> None:
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100)
        answer = await reader.read()  # to the end: the connection is closed
        assert answer.startswith(b"HTTP/1.1 401")
        writer.close()
        await until(lambda: rejected(served, "invalid_api_key") == 1)
        small = await served.client.post(SPEECH, json=HELLO)
        assert "connection" not in small.headers  # it can be used again
