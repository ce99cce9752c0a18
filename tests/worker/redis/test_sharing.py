"""The audio cache and the rate limits on one client: what one finds out spares the other, and what is refused rests."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.valkey import Valkey, running_valkey
from tests.support.worker.caching import Counted, tone
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.redis_cache import NEVER, QUICK
from tests.support.worker.serving import PATIENCE_SECONDS, until
from ttsworker.cache import RedisCache, cache_key
from ttsworker.engines import Utterance
from ttsworker.http.access import ratelimit
from ttsworker.http.access.limits import Limit
from ttsworker.http.access.ratelimit import LocalLimiter, SharedLimiter
from ttsworker.observe.logs import JsonFormatter
from ttsworker.redis.breaker import BackOff
from ttsworker.redis.client import MAX_CONNECTIONS, RedisClient, RedisUnavailable

KEY = cache_key(Utterance("Hello.", "heart"), engine="hibari", model_digest="digest")
TWO = Limit(0.001, 2)


@dataclass
class Shared:
    redis: RedisClient
    cache: RedisCache
    limiter: SharedLimiter
    counted: Counted

    async def is_cached(self) -> bool:
        [pcm] = await self.cache.get_many([KEY])
        return pcm is not None

    async def let_in(self, requests: int, limit: Limit = TWO) -> int:
        waits = [await self.limiter.arrive("client", limit) for _ in range(requests)]
        return waits.count(0)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running_valkey(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "TIMEOUT_SECONDS", PATIENCE_SECONDS)


@asynccontextmanager
async def sharing(url: str, back_off: BackOff = NEVER) -> AsyncIterator[Shared]:
    counted = Counted()
    redis = RedisClient(
        SecretStr(url), counted, connect_seconds=PATIENCE_SECONDS, answer_seconds=PATIENCE_SECONDS, back_off=back_off
    )
    cache = RedisCache(redis, ttl_seconds=60, observer=counted, clock=ManualClock(), get_seconds=PATIENCE_SECONDS)
    try:
        await until(lambda: redis.is_up)
        yield Shared(redis, cache, SharedLimiter(redis, LocalLimiter()), counted)
    finally:
        await cache.close()
        await redis.close()


async def cached(shared: Shared, valkey: Valkey) -> None:
    shared.cache.put(KEY, tone(0.1))
    await until(lambda: bool(valkey.client.exists(KEY)))


async def test_a_dead_redis_that_the_rate_limit_finds_is_not_asked_by_the_cache(valkey: Valkey) -> None:
    async with sharing(valkey.url) as shared:
        valkey.kill()
        assert await shared.let_in(3) == 2
        assert not await shared.is_cached()
        assert shared.counted.failures == {"connection": 1}


async def test_a_dead_redis_that_the_cache_finds_is_not_asked_by_the_rate_limit(valkey: Valkey) -> None:
    async with sharing(valkey.url) as shared:
        valkey.kill()
        assert not await shared.is_cached()
        assert await shared.let_in(3) == 2
        assert shared.counted.failures == {"connection": 1}


async def test_only_probes_find_out_that_redis_is_back_and_then_both_use_it(valkey: Valkey) -> None:
    async with sharing(valkey.url, QUICK) as shared:
        valkey.kill()
        assert await shared.let_in(1) == 1
        await until(lambda: shared.counted.failures["connection"] >= 3)
        assert not shared.redis.is_up
        with pytest.raises(RedisUnavailable, match="connection"):
            await shared.redis.ask(lambda redis: redis.get("x"), within=PATIENCE_SECONDS)
        valkey.start()
        await until(lambda: shared.redis.is_up)
        assert valkey.calls("eval") == valkey.calls("get") == 0
        await cached(shared, valkey)
        assert await shared.is_cached()
        assert await shared.let_in(1) == 1
        assert valkey.calls("eval") == 1


async def test_a_forbidden_script_rests_and_the_cache_goes_on(valkey: Valkey) -> None:
    valkey.client.acl_setuser("default", enabled=True, nopass=True, commands=["-eval"])
    async with sharing(valkey.url) as shared:
        await cached(shared, valkey)
        assert await shared.let_in(5) == 2
        assert shared.counted.failures == {"authentication": 1}  # the others were not sent
        assert await shared.is_cached()
        assert shared.counted.available == [True]


async def test_a_full_redis_counts_nobody_and_counts_again_when_it_has_room(valkey: Valkey) -> None:
    async with sharing(valkey.url, QUICK) as shared:
        await cached(shared, valkey)
        valkey.client.config_set("maxmemory-policy", "noeviction")
        valkey.client.config_set("maxmemory", "1")
        assert await shared.let_in(50) == 2
        assert shared.counted.failures["full"] >= 1
        assert await shared.is_cached()
        assert not valkey.client.exists("tts:limit:client")
        valkey.client.config_set("maxmemory", "0")

        async with asyncio.timeout(PATIENCE_SECONDS):
            while not valkey.client.exists("tts:limit:client"):
                await shared.let_in(1)
        assert shared.counted.available == [True]


@pytest.mark.parametrize(
    "answer", [b":-7\r\n", b":9999999999999999\r\n", b"$3\r\nabc\r\n", b"$-1\r\n", b"HTTP/1.1 400\r\n"]
)
async def test_a_script_that_answers_nonsense_is_left_alone(answer: bytes) -> None:
    """Its gets are answered well, so the probe finds nothing wrong."""

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65_536):
            writer.write(answer if b"EVAL" in request else b"*1\r\n$-1\r\n")
        writer.close()

    liar = await asyncio.start_server(lie, "127.0.0.1", 0)
    async with liar, sharing(f"redis://127.0.0.1:{liar.sockets[0].getsockname()[1]}") as shared:
        assert await shared.let_in(5) == 2
        assert shared.counted.failures == {"protocol": 1}
        assert not shared.redis.is_up


@pytest.mark.parametrize(
    "answer",
    [b"-WRONGPASS %s\r\n", b"-NOAUTH %s\r\n", b"-ERR invalid password %s\r\n", b"-NOPERM %s\r\n", b"-OOM %s\r\n",
     b"-READONLY %s\r\n", b"-MOVED 1 %s:1\r\n", b"-LOADING %s\r\n", b"-%s\r\n", b"%s\r\n", b"+%s\r\n", b"$7\r\n%s\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("only", [b"", b"EVAL"])
async def test_the_words_of_a_server_are_never_logged(
    caplog: pytest.LogCaptureFixture, answer: bytes, only: bytes
) -> None:
    """A server, or what pretends to be one, may repeat the password that it was sent."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65_536):
            writer.write(answer % b"hunter2" if only in request else b"*1\r\n$-1\r\n")
        writer.close()

    caplog.set_level(logging.DEBUG)
    parrot = await asyncio.start_server(repeat, "127.0.0.1", 0)
    counted = Counted()
    url = f"redis://127.0.0.1:{parrot.sockets[0].getsockname()[1]}"
    async with parrot:
        redis = RedisClient(SecretStr(url), counted, connect_seconds=PATIENCE_SECONDS, answer_seconds=PATIENCE_SECONDS)
        await until(lambda: redis.is_up or bool(counted.failures))
        limiter = SharedLimiter(redis, LocalLimiter())
        assert [await limiter.arrive("client", TWO) for _ in range(3)][:2] == [0, 0]
        assert counted.failures
        await redis.close()
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name != "asyncio"]
    assert lines
    assert not any("hunter2" in line for line in lines)


async def test_a_burst_of_requests_does_not_make_the_cache_wait_for_a_connection(valkey: Valkey) -> None:
    async with sharing(valkey.url) as shared:
        await cached(shared, valkey)
        before = valkey.connections()
        burst = [asyncio.create_task(shared.let_in(1, Limit(0.001, 1000))) for _ in range(300)]
        assert await shared.is_cached()
        assert sum(await asyncio.gather(*burst)) == 300
        assert valkey.connections() - before < MAX_CONNECTIONS
        assert not shared.counted.failures
