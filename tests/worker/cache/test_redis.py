"""The cache in a real Valkey that is killed, paused, filled with garbage, full, locked, or not a Valkey at all."""

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvloop
from pydantic import SecretStr

from tests.support.program import free_port
from tests.support.valkey import Valkey, running_valkey
from tests.support.worker.caching import Counted, tone
from tests.support.worker.serving import PATIENCE_SECONDS, until
from ttsworker.audio import Pcm
from ttsworker.cache import (
    CacheUnavailable,
    MemoryCache,
    NoCache,
    RedisCache,
    cache_key,
    model_prefix,
    open_cache,
)
from ttsworker.cache.batched_get import KEYS_AT_ONCE
from ttsworker.cache.codec import encode
from ttsworker.cache.write_behind import MAX_QUEUED_BYTES
from ttsworker.engines import Utterance
from ttsworker.redis.breaker import BackOff
from ttsworker.redis.client import RedisClient
from ttsworker.settings import InvalidSettings

DIGEST = "sha256:" + "0123456789abcdef" * 4

QUICK = BackOff(first=0.01, longest=0.05)
NEVER = BackOff(first=1e6, longest=1e6)
"""No probe after the first failure: what a test counts is then all there was."""


def key(number: int = 0, model_digest: str = DIGEST) -> str:
    return cache_key(Utterance(f"Sentence {number}.", "heart"), engine="hibari", model_digest=model_digest)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with running_valkey(tmp_path) as server:
        yield server


@asynccontextmanager
async def caching(
    url: str, *, up: bool = True, get_seconds: float = PATIENCE_SECONDS, back_off: BackOff = QUICK, ttl: int = 3600
) -> AsyncIterator[tuple[RedisCache, Counted]]:
    """Open a cache whose gets have a timeout only if a test wants one, and wait until Redis answers, or does not."""
    counted = Counted()
    redis = RedisClient(SecretStr(url), counted, answer_seconds=PATIENCE_SECONDS, back_off=back_off)
    cache = RedisCache(redis, ttl_seconds=ttl, observer=counted, get_seconds=get_seconds)
    try:
        await until(lambda: counted.available == [up])
        yield cache, counted
    finally:
        await cache.close()
        await redis.close()


async def put(cache: RedisCache, server: Valkey, *keys: str, seconds: float = 0.1) -> None:
    """Put the audio of these keys and wait until it has been written."""
    for name in keys:
        cache.put(name, tone(seconds))
    await until(lambda: server.client.exists(*keys) == len(keys))


def assert_is(found: Pcm | None, expected: Pcm) -> None:
    assert found is not None
    np.testing.assert_array_equal(found, expected)


# What it is for


async def test_what_was_put_is_found_by_another_worker_and_nothing_else_is(valkey: Valkey) -> None:
    async with caching(valkey.url) as (one, _), caching(valkey.url) as (another, counted):
        await put(one, valkey, key(1))
        [found, missing] = await another.get_many([key(1), key(2)])
        assert_is(found, tone(0.1))
        assert missing is None
        assert (counted.hits, counted.misses) == (1, 1)
        assert not counted.failures
        assert await another.get_many([]) == []


async def test_all_sentences_of_a_text_come_in_one_round_trip(valkey: Valkey) -> None:
    keys = [key(number) for number in range(KEYS_AT_ONCE)]
    async with caching(valkey.url) as (cache, counted):
        for number, name in enumerate(keys):
            cache.put(name, tone(2.0, pitch=100 + number))
        await until(lambda: valkey.client.exists(*keys) == len(keys))
        before = valkey.calls("mget")
        found = await cache.get_many(keys)
        for number, pcm in enumerate(found):
            assert_is(pcm, tone(2.0, pitch=100 + number))
        assert valkey.calls("mget") == before + 1
        assert counted.hits == len(keys)


async def test_more_sentences_than_fit_and_equal_ones_are_all_found(valkey: Valkey) -> None:
    keys = [key(number // 2) for number in range(5 * KEYS_AT_ONCE)]
    async with caching(valkey.url) as (cache, _):
        await put(cache, valkey, *dict.fromkeys(keys))
        found = await cache.get_many(keys)
        assert [pcm is not None for pcm in found] == [True] * len(keys)


async def test_audio_goes_when_its_time_is_over(valkey: Valkey) -> None:
    async with caching(valkey.url, ttl=100) as (cache, _):
        await put(cache, valkey, key())
        assert 0 < int(valkey.client.ttl(key())) <= 100
        valkey.client.pexpire(key(), 1)
        await until(lambda: not valkey.client.exists(key()))
        assert await cache.get_many([key()]) == [None]


async def test_gets_of_many_requests_share_connections_and_commands(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key())
        commands, connections = valkey.calls("mget"), valkey.connections()
        found = await asyncio.gather(*(cache.get_many([key()]) for _ in range(200)))
        for [pcm] in found:
            assert_is(pcm, tone(0.1))
        assert valkey.calls("mget") - commands <= 200 / KEYS_AT_ONCE + 2
        assert valkey.connections() - connections <= 1  # that of the put may not have been given back yet
        assert counted.hits == 200


async def test_a_request_that_leaves_does_not_take_anothers_audio_with_it(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key())
        valkey.pause()
        leaving = asyncio.create_task(cache.get_many([key(), key(1)]))
        staying = asyncio.create_task(cache.get_many([key()]))
        await asyncio.sleep(0)
        leaving.cancel()
        valkey.resume()
        [pcm] = await staying
        assert_is(pcm, tone(0.1))
        assert leaving.cancelled()
        assert not counted.failures


async def test_it_works_on_the_servers_event_loop(valkey: Valkey) -> None:
    async def put_and_get() -> None:
        async with caching(valkey.url) as (cache, _):
            await put(cache, valkey, key(), seconds=3.0)
            [pcm] = await cache.get_many([key()])
            assert_is(pcm, tone(3.0))

    await asyncio.to_thread(uvloop.run, put_and_get())


# Clearing


async def test_audio_is_cleared_by_its_key_and_nobody_elses_key_is_touched(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, _):
        await put(cache, valkey, key(1), key(2))
        assert await cache.clear([key(1)]) == 1
        assert await cache.clear([key(1)]) == 0
        assert [pcm is not None for pcm in await cache.get_many([key(1), key(2)])] == [False, True]


async def test_a_models_audio_is_cleared_in_batches_and_no_other_key(valkey: Valkey) -> None:
    prefix = model_prefix(DIGEST)
    others = {f"{model_prefix('another')}1": b"x", f"x{prefix}": b"x", prefix[:-1]: b"x", "session": b"x"}
    valkey.client.mset({**{f"{prefix}{number}": b"x" for number in range(5000)}, **others})
    async with caching(valkey.url) as (cache, _):
        assert await cache.clear_model(DIGEST) == 5000
        assert valkey.calls("unlink") > 1
        assert {name.decode() for name in valkey.client.scan_iter("*")} == set(others)
        assert await cache.clear_model(DIGEST) == 0


async def test_what_waits_to_be_written_does_not_come_back_after_a_clear(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, _):
        for number in range(20):
            cache.put(key(number), tone(1.0))
        cache.put(key(0, "another"), tone(1.0))
        await cache.clear_model(DIGEST)
        await until(lambda: bool(valkey.client.exists(key(0, "another"))))  # it was the last in the queue
        assert valkey.client.dbsize() == 1


async def test_a_clear_that_cannot_be_done_is_said_so(valkey: Valkey) -> None:
    async with caching(valkey.url, back_off=NEVER) as (cache, counted):
        valkey.kill()
        for _ in range(2):
            with pytest.raises(CacheUnavailable, match="connection"):
                await cache.clear([key()])
        assert counted.failures == {"connection": 1}  # the second time it was not even tried


# A Redis in trouble


async def test_two_hundred_gets_of_a_paused_redis_cost_one_command_and_one_time_out(valkey: Valkey) -> None:
    async with caching(valkey.url, get_seconds=0.05, back_off=NEVER) as (cache, counted):
        commands, connections = valkey.calls("mget"), valkey.connections()
        valkey.pause()
        found = await asyncio.gather(*(cache.get_many([key(number), key()]) for number in range(200)))
        assert found == [[None, None]] * 200
        await until(lambda: not counted.is_up)
        assert await cache.get_many([key()]) == [None]
        cache.put(key(), tone(0.1))
        assert counted.failures == {"timeout": 1}
        assert counted.available == [True, False]
        assert counted.misses == 401
        valkey.resume()
        assert valkey.calls("mget") - commands == 1
        assert valkey.connections() == connections
        assert valkey.calls("set") == 0


async def test_a_halt_of_the_worker_itself_is_not_blamed_on_redis(valkey: Valkey) -> None:
    async with caching(valkey.url, get_seconds=0.5, back_off=NEVER) as (cache, counted):
        await put(cache, valkey, key())
        getting = asyncio.create_task(cache.get_many([key()]))
        for _ in range(3):
            await asyncio.sleep(0)  # it begins
        time.sleep(1.0)  # noqa: ASYNC251 - nothing of the worker runs, as when the kernel throttles it
        assert_is((await getting)[0], tone(0.1))
        assert not counted.failures


async def test_a_paused_redis_is_used_again_when_it_goes_on(valkey: Valkey) -> None:
    async with caching(valkey.url) as (patient, _):
        await put(patient, valkey, key())
    async with caching(valkey.url, get_seconds=0.05, back_off=QUICK) as (cache, counted):
        valkey.pause()
        assert await cache.get_many([key()]) == [None]
        await until(lambda: counted.failures["timeout"] >= 3)  # probes that were not answered
        assert not counted.is_up
        valkey.resume()
        await until(lambda: counted.is_up)
        assert counted.available == [True, False, True]


async def test_a_redis_killed_in_between_costs_misses_and_is_used_again_when_it_is_back(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key())
        valkey.kill()
        assert await cache.get_many([key()]) == [None]
        cache.put(key(), tone(0.1))
        await until(lambda: counted.failures["connection"] >= 3)
        assert counted.available == [True, False]
        valkey.start()
        await until(lambda: counted.is_up)
        assert await cache.get_many([key()]) == [None]
        await put(cache, valkey, key())
        assert_is((await cache.get_many([key()]))[0], tone(0.1))


async def test_connections_that_redis_closed_meanwhile_are_opened_anew(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key())
        valkey.client.client_kill_filter(_type="normal", skipme=True)
        await until(lambda: len(valkey.client.client_list()) == 1)
        for _ in range(3):
            await asyncio.sleep(0)  # the event loop takes note of what the kernel has
        assert_is((await cache.get_many([key()]))[0], tone(0.1))
        assert not counted.failures


async def test_a_redis_that_is_not_there_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    async with caching(url, up=False) as (cache, counted):
        await until(lambda: counted.failures["connection"] >= 3)
        assert await cache.get_many([key()]) == [None]
        cache.put(key(), tone(0.1))
        assert counted.available == [False]
    [line] = logged(caplog)
    assert line["reason"] == "connection"
    assert line["error"] == "ConnectionRefusedError"


@pytest.mark.parametrize("spoilt", [b"", b"garbage", encode(key(5), tone(0.1)), None])
async def test_a_lying_redis_gives_misses_and_never_wrong_audio(valkey: Valkey, spoilt: bytes | None) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key(1), key(2))
        assert valkey.spoil(spoilt) == 2
        assert await cache.get_many([key(1), key(2)]) == [None, None]
        assert counted.misses == 2
        assert counted.failures == ({} if spoilt is None else {"corrupt": 2})  # another type is no value for Redis
        await put(cache, valkey, key(1))
        await until(lambda: valkey.client.type(key(1)) == b"string" and valkey.client.get(key(1)) != spoilt)
        assert_is((await cache.get_many([key(1)]))[0], tone(0.1))


async def test_half_a_value_is_a_miss(valkey: Valkey) -> None:
    async with caching(valkey.url) as (cache, counted):
        await put(cache, valkey, key())
        value = valkey.client.get(key())
        assert isinstance(value, bytes)
        valkey.client.set(key(), value[:-1])
        assert await cache.get_many([key()]) == [None]
        assert counted.failures == {"corrupt": 1}


async def test_a_wrong_password_is_told_once_without_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_valkey(tmp_path, password="right") as server:
        url = server.url.replace("right", "hunter2")
        async with caching(url, up=False) as (cache, counted):
            await until(lambda: counted.failures["authentication"] >= 3)
            assert await cache.get_many([key()]) == [None]
        [line] = logged(caplog)
        assert line["reason"] == "authentication"
        async with caching(server.url) as (cache, _):
            await put(cache, server, key())
            assert_is((await cache.get_many([key()]))[0], tone(0.1))


async def test_a_full_redis_takes_no_puts_for_a_while_and_still_answers(valkey: Valkey) -> None:
    async with caching(valkey.url, back_off=NEVER) as (cache, counted):
        await put(cache, valkey, key())
        valkey.client.config_set("maxmemory-policy", "noeviction")
        valkey.client.config_set("maxmemory", "1")
        cache.put(key(1), tone(0.1))
        await until(lambda: counted.failures["full"] == 1)
        for number in range(50):
            cache.put(key(number), tone(0.1))
        assert_is((await cache.get_many([key()]))[0], tone(0.1))
        assert counted.failures == {"full": 1}
        assert valkey.calls("set") == 1  # the first one; Valkey does not count what it refused
        assert counted.available == [True]


async def test_puts_begin_again_when_there_is_room(valkey: Valkey) -> None:
    async with caching(valkey.url, back_off=QUICK) as (cache, counted):
        valkey.client.config_set("maxmemory", "1")
        cache.put(key(), tone(0.1))
        await until(lambda: counted.failures["full"] == 1)
        valkey.client.config_set("maxmemory", "0")

        def is_written() -> bool:
            cache.put(key(), tone(0.1))
            return bool(valkey.client.exists(key()))

        await until(is_written)


async def test_a_redis_that_may_not_be_read_is_given_up(valkey: Valkey) -> None:
    valkey.client.acl_setuser("default", enabled=True, nopass=True, commands=["-mget"])
    async with caching(valkey.url, up=False) as (cache, counted):
        await until(lambda: counted.failures["authentication"] >= 2)
        assert await cache.get_many([key()]) == [None]


async def test_puts_that_come_too_fast_are_dropped(valkey: Valkey) -> None:
    pcm = tone(10.0)
    fit = MAX_QUEUED_BYTES // pcm.nbytes
    async with caching(valkey.url) as (cache, counted):
        for number in range(fit + 10):
            cache.put(key(number), pcm)
        assert counted.failures == {"behind": 10}
        await until(lambda: valkey.client.dbsize() == fit)
        cache.put(key(fit), pcm)
        await until(lambda: valkey.client.dbsize() == fit + 1)


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
    async with liar, caching(url, up=False, get_seconds=0.05) as (cache, counted):
        await until(lambda: counted.failures.total() >= 2)
        assert await cache.get_many([key()]) == [None]
        assert counted.available == [False]
    assert len(logged(caplog)) == 1


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the Redis client's log lines; there is no password in any line, whoever wrote it."""
    everything = [vars(record) | {"told": record.getMessage(), "trace": record.exc_text} for record in caplog.records]
    assert "hunter2" not in json.dumps(everything, default=str)
    ours = [line for line in everything if line["name"].startswith("ttsworker.redis")]
    return [line for line in ours if line["levelno"] >= logging.INFO]


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
    cache = open_cache(redis, ttl_seconds=ttl, memory_bytes=memory, observer=Counted())
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
