"""The cache in a real Valkey: what is put is found, shared and cleared."""

import asyncio

import pytest
import uvloop

from tests.support.valkey import Valkey
from tests.support.worker.caching import tone
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.redis_cache import DIGEST, NEVER, assert_is, caching, key, put
from tests.support.worker.serving import PATIENCE_SECONDS, until
from ttsworker.cache import (
    CacheUnavailable,
    model_prefix,
    redis,
)
from ttsworker.cache.batched_get import KEYS_AT_ONCE

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


async def scan_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer gets as a Redis without keys does, and each scan with a cursor for the next one."""
    while request := await reader.read(65_536):
        writer.write(b"*2\r\n$1\r\n7\r\n*0\r\n" if b"SCAN" in request else b"*1\r\n$-1\r\n")
    writer.close()


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


async def test_a_clear_whose_scan_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "STEP_SECONDS", PATIENCE_SECONDS)  # the timeout of the whole clear is what ends it
    server, clock = await asyncio.start_server(scan_for_ever, "127.0.0.1", 0), ManualClock()
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, caching(url, clock=clock) as (cache, counted):
        clearing = asyncio.create_task(cache.clear_model(DIGEST))
        await until(lambda: clock.due_in(redis.CLEAR_SECONDS))
        clock.advance(redis.CLEAR_SECONDS)
        with pytest.raises(CacheUnavailable, match="timeout"):
            await clearing
        assert not counted.failures


async def test_a_clear_that_cannot_be_done_is_said_so(valkey: Valkey) -> None:
    async with caching(valkey.url, back_off=NEVER) as (cache, counted):
        valkey.kill()
        for _ in range(2):
            with pytest.raises(CacheUnavailable, match="connection"):
                await cache.clear([key()])
        assert counted.failures == {"connection": 1}  # the second time it was not even tried
