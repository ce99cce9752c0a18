"""Which cache the settings choose, and what they refuse: other servers, URLs, options."""

import asyncio
import traceback

import pytest
from pydantic import SecretStr

from tests.support.valkey import Valkey
from tests.support.worker.caching import Counted, tone
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.redis_cache import DIGEST, assert_is, caching, key, logged, put
from tests.support.worker.serving import until
from ttsworker.cache import (
    MemoryCache,
    NoCache,
    RedisCache,
    open_cache,
)
from ttsworker.redis.client import RedisClient
from ttsworker.settings import InvalidSettings

# What is no Redis

LIARS = {
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "echo of the password": b"-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n",
    "endless": b"$99999999999\r\n" + b"x" * 1000,
    "not a number": b"*hunter2\r\n",
    "an integer": b"+OK\r\n:1\r\n",
    "too few": b"+OK\r\n*0\r\n",
    "a list of lists": b"+OK\r\n*1\r\n*1\r\n$1\r\nx\r\n",
    "not UTF-8": b"-\xff\xfe\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", LIARS.values(), ids=LIARS.keys())
async def test_what_is_no_redis_is_given_up_and_what_it_says_is_not_logged(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(answer)
            if not answer:
                break
        writer.close()

    liar = await asyncio.start_server(lie, "127.0.0.1", 0)
    url = f"redis://:hunter2@127.0.0.1:{liar.sockets[0].getsockname()[1]}/0"
    async with liar, caching(url, up=False, connect_seconds=1, get_seconds=0.05) as (cache, counted):
        await until(lambda: counted.failures.total() >= 2)
        assert await cache.get_many([key()]) == [None]
        assert counted.available == [False]
    assert len(logged(caplog)) == 1


# Choosing


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@host",
        "redis://:hunter2@host:port",
        "redis://host?hunter2=1",
        "unix:///hunter2",
        "redis://[hunter2",
        "redis://host?socket_timeout=hunter2",
    ],
)
async def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"redis_url must be") as raised:
        RedisClient(SecretStr(url))
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


async def test_the_urls_options_do_not_make_it_patient_or_decode(valkey: Valkey) -> None:
    options = "?socket_timeout=60&socket_connect_timeout=60&retry_on_timeout=true&decode_responses=true&protocol=3"
    async with caching(valkey.url + options) as (cache, _):
        await put(cache, valkey, key())
        assert_is((await cache.get_many([key()]))[0], tone(0.1))
        assert valkey.calls("hello") + valkey.calls("client|setinfo") == 0


@pytest.mark.parametrize(
    ("url", "ttl", "memory", "kind"),
    [
        ("redis://127.0.0.1:1/0", 60, 1000, RedisCache),
        ("redis://127.0.0.1:1/0", 0, 1000, NoCache),
        (None, 60, 1000, MemoryCache),
        (None, 60, 0, NoCache),
        (None, 0, 1000, NoCache),
    ],
)
async def test_the_settings_choose(url: str | None, ttl: int, memory: int, kind: type[object]) -> None:
    redis = RedisClient(SecretStr(url)) if url else None
    cache = open_cache(redis, ttl_seconds=ttl, memory_bytes=memory, observer=Counted(), clock=ManualClock())
    assert type(cache) is kind
    await cache.close()
    if redis:
        await redis.close()


async def test_no_cache_keeps_nothing() -> None:
    cache = NoCache()
    cache.put(key(), tone(0.1))
    assert await cache.get_many([key(), key()]) == [None, None]
    assert await cache.clear_model(DIGEST) == 0


async def test_a_cache_that_is_closed_leaves_no_task_and_no_connection(valkey: Valkey) -> None:
    before = asyncio.all_tasks()
    async with caching(valkey.url, get_seconds=0.05) as (cache, _):
        await put(cache, valkey, key())
        valkey.pause()
        cache.put(key(1), tone(1.0))
        getting = asyncio.create_task(cache.get_many([key()]))
        await asyncio.sleep(0)
    await getting
    assert asyncio.all_tasks() == before
    valkey.resume()
    await until(lambda: len(valkey.client.client_list()) == 1)
