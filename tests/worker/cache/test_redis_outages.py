"""The cache in a real Valkey that is killed, paused, full, locked or filled with garbage."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.program import free_port
from tests.support.valkey import Valkey, running_valkey
from tests.support.worker.caching import tone
from tests.support.worker.redis_cache import NEVER, QUICK, assert_is, caching, key, logged, put
from tests.support.worker.serving import until
from ttsworker.cache.codec import encode
from ttsworker.cache.write_behind import MAX_QUEUED_BYTES

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
    async with caching(valkey.url, connect_seconds=1, get_seconds=0.05, back_off=QUICK) as (cache, counted):
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
