"""Limits that workers share through a real Redis, and what happens to them when it fails."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.valkey import Valkey, running_valkey
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH, poll
from tests.support.worker.keyed import HELLO
from tests.support.worker.serving import PATIENCE_SECONDS, Served, serving, until
from ttsworker.http.access import ratelimit
from ttsworker.http.access.limits import Limit

SLOW: dict[str, Any] = {"rate_limit_per_second": 0.001, "rate_limit_burst": 4}


async def count_answered(workers: list[Served], requests: int) -> int:
    """Ask the workers in turn and return how many requests were let in; the others were 429."""
    answers = [await workers[number % len(workers)].client.post(SPEECH, json=HELLO) for number in range(requests)]
    assert {answer.status_code for answer in answers} <= {200, 429}
    return sum(answer.status_code == 200 for answer in answers)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slow machine be no silent Redis: a worker that counts by itself would let in more."""
    monkeypatch.setattr(ratelimit, "TIMEOUT_SECONDS", PATIENCE_SECONDS)


async def until_redis_is_used(*workers: Served) -> None:
    """Before the first probe is answered, a worker counts by itself."""
    for served in workers:
        redis = served.worker.redis
        assert redis
        await until(lambda redis=redis: redis.is_up)  # type: ignore[misc]


@pytest.mark.usefixtures("patient")
async def test_workers_share_the_limit_through_redis(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as redis:
        async with (
            serving(ArtificialEngine(), redis_url=redis.url, **SLOW) as one,
            serving(ArtificialEngine(), redis_url=redis.url, **SLOW) as other,
        ):
            await until_redis_is_used(one, other)
            began = time.monotonic()
            assert await count_answered([one, other], 10) == 4
            refused = await other.client.post(SPEECH, json=HELLO)
            passed = time.monotonic() - began
            assert 990 - passed <= int(refused.headers["retry-after"]) <= 1000


@pytest.mark.usefixtures("patient")
async def test_redis_that_dies_and_comes_back_never_fails_a_request(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as redis:
        async with serving(ArtificialEngine(), redis_url=redis.url, rate_limit_per_second=0.001) as served:
            await until_redis_is_used(served)
            assert await count_answered([served], 15) == 15
            redis.kill()
            assert await count_answered([served], 25) == 20  # a burst, counted by the worker itself
            redis.start()
            await poll(served, "/api/tts?text=Hello.")
            assert await count_answered([served], 25) == 19


async def test_a_silent_redis_costs_one_time_out_and_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_valkey(tmp_path) as redis:
        async with serving(ArtificialEngine(), redis_url=redis.url, **SLOW) as served:
            await until_redis_is_used(served)
            with monkeypatch.context() as at_first:
                at_first.setattr(ratelimit, "TIMEOUT_SECONDS", PATIENCE_SECONDS)
                assert await count_answered([served], 2) == 2
            redis.pause()
            assert await count_answered([served], 10) == 4
            redis.resume()


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, b":-7\r\n" * 50, b":9999999999999999\r\n", b"$-1\r\n" * 50],
)
async def test_a_redis_that_lies_never_fails_a_request(answer: bytes) -> None:
    asked = 0

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        with contextlib.suppress(ConnectionError):
            while await reader.read(65_536):
                writer.write(answer)
                await writer.drain()
        writer.close()

    liar = await asyncio.start_server(lie, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{liar.sockets[0].getsockname()[1]}"
    async with liar, serving(ArtificialEngine(), redis_url=url, **SLOW) as served:
        assert await count_answered([served], 10) == 4
        assert asked


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("garbage", ["garbage", "nan", "1e300", "-5", "", "inf"])
async def test_garbage_in_redis_locks_nobody_out_for_longer_than_a_burst(tmp_path: Path, garbage: str) -> None:
    with running_valkey(tmp_path) as redis:
        async with serving(
            ArtificialEngine(), redis_url=redis.url, rate_limit_per_second=10, rate_limit_burst=1
        ) as served:
            await until_redis_is_used(served)
            await command(redis, "SET", "tts:limit:address:127.0.0.1", garbage)
            await poll(served, "/api/tts?text=Hello.")
            value = await command(redis, "GET", "tts:limit:address:127.0.0.1")
            assert value is None or value.isdigit()


async def command(redis: Valkey, *words: str) -> bytes | None:
    reader, writer = await asyncio.open_connection("127.0.0.1", redis.port)
    parts = [f"${len(word)}\r\n{word}\r\n" for word in words]
    writer.write(f"*{len(words)}\r\n{''.join(parts)}".encode())
    first = await reader.readuntil(b"\r\n")
    value: bytes | None = first[1:-2]
    if first.startswith(b"$"):
        value = (await reader.readexactly(int(first[1:]) + 2))[:-2] if first != b"$-1\r\n" else None
    writer.close()
    await writer.wait_closed()
    return value


@pytest.mark.usefixtures("patient")
async def test_the_state_of_a_client_leaves_redis_with_its_worth(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as redis:
        async with serving(ArtificialEngine(), redis_url=redis.url, **SLOW) as served:
            await until_redis_is_used(served)
            assert (await served.client.post(SPEECH, json=HELLO)).status_code == 200
            left = await command(redis, "PTTL", "tts:limit:address:127.0.0.1")
            assert left
            assert 0 < int(left) <= Limit(0.001, 1).span // 1000
