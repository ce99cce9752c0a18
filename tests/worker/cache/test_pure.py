"""The cache's parts that need no server: keys, codec, memory."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.support.worker.caching import Counted, tone
from tests.support.worker.manual_clock import ManualSeconds
from ttsworker.audio import Pcm
from ttsworker.cache import MemoryCache, cache_key, is_cache_key, is_shared_with, model_prefix
from ttsworker.cache.codec import decode, encode
from ttsworker.cache.memory import ENTRY_BYTES
from ttsworker.engines import Utterance

DIGEST = "sha256:" + "0123456789abcdef" * 4
HELLO = Utterance("Hello.", "heart", "en", 1.0, 7)
OTHER: dict[str, object] = {"text": "Hello!", "voice": "bella", "language": None, "speed": 1.01, "seed": 8,
    "owner": "bob"}  # fmt: skip

untimed = settings(deadline=None)
samples = arrays(np.int16, st.integers(0, 600))


def key(utterance: Utterance, engine: str = "hibari", model_digest: str = DIGEST) -> str:
    return cache_key(utterance, engine=engine, model_digest=model_digest)


# Keys


def test_every_parameter_of_an_utterance_is_in_its_key() -> None:
    names = {field.name for field in dataclasses.fields(Utterance)}
    assert names == OTHER.keys(), "give a new field another value here"
    changed = [dataclasses.replace(HELLO, **{name: value}) for name, value in OTHER.items()]  # type: ignore[arg-type]
    keys = {key(HELLO), *map(key, changed), key(HELLO, engine="coqui"), key(HELLO, model_digest="another")}
    assert len(keys) == len(names) + 3


def test_equal_utterances_have_equal_keys() -> None:
    assert key(dataclasses.replace(HELLO, speed=1)) == key(HELLO) == key(dataclasses.replace(HELLO))


def test_no_two_parameters_can_be_mistaken_for_each_other() -> None:
    assert key(Utterance("a", "bc")) != key(Utterance("ab", "c"))
    assert key(Utterance("a", "b", None)) != key(Utterance("a", "b", "None"))
    assert key(Utterance('a", "voice": "b', "c")) != key(Utterance("a", 'b", "voice": "c'))


@untimed
@given(st.text(), st.text(), st.text())
def test_a_key_has_its_models_prefix_and_no_word_of_a_client(text: str, voice: str, digest: str) -> None:
    made = key(Utterance(text, voice), model_digest=digest)
    assert is_cache_key(made)
    assert made.startswith(model_prefix(digest))


def test_the_models_prefix_shows_the_digest() -> None:
    assert model_prefix(DIGEST) == "tts:0123456789abcdef:"
    assert model_prefix("hibari-tts 0.2.1") != model_prefix("hibari-tts 0.2.2")


def test_a_clients_audio_has_a_prefix_of_its_own_that_does_not_show_the_name() -> None:
    mine, others, everybodys = (key(dataclasses.replace(HELLO, owner=name)) for name in ("alice", "bob", ""))
    assert len({mine, others, everybodys, mine.replace(mine.split(":")[2], others.split(":")[2])}) == 4
    for made in (mine, others):
        assert is_cache_key(made)
        assert made.startswith(model_prefix(DIGEST))
        assert "alice" not in made
        assert is_shared_with(made, "")
    assert is_shared_with(mine, "alice")
    assert not is_shared_with(mine, "bob")
    assert not is_shared_with(everybodys, "alice")


@untimed
@given(st.text(), st.text(), st.text(min_size=1))
def test_no_clients_audio_can_be_taken_for_anothers(one: str, another: str, client: str) -> None:
    made = [key(dataclasses.replace(HELLO, owner=name)) for name in (one, another)]
    assert (made[0] == made[1]) == (one == another)
    assert is_shared_with(made[0], client) == (one == client)


@pytest.mark.parametrize("text", ["", "tts:*", "session:4711", "tts:" + "0" * 16 + ":" + "0" * 31 + "*"])
def test_other_keys_are_not_ours(text: str) -> None:
    assert not is_cache_key(text)
    assert not is_cache_key(key(HELLO) + "\n")


# Codec


@untimed
@given(samples)
def test_audio_comes_back_bit_by_bit(pcm: Pcm) -> None:
    back = decode("key", encode("key", pcm))
    assert back is not None
    assert back.dtype == np.int16
    np.testing.assert_array_equal(back, pcm)


@untimed
@given(samples, st.data())
def test_a_changed_byte_is_no_audio(pcm: Pcm, data: st.DataObject) -> None:
    value = bytearray(encode("key", pcm))
    position = data.draw(st.integers(0, len(value) - 1))
    value[position] ^= data.draw(st.integers(1, 255))
    assert decode("key", bytes(value)) is None


@untimed
@given(samples, st.data())
def test_half_a_value_is_no_audio(pcm: Pcm, data: st.DataObject) -> None:
    value = encode("key", pcm)
    assert decode("key", value[: data.draw(st.integers(0, len(value) - 1))]) is None
    assert decode("key", value + b"\0") is None


@untimed
@given(st.one_of(st.binary(), st.none(), st.integers(), st.text(), st.lists(st.binary())))
def test_garbage_is_no_audio(value: object) -> None:
    assert decode("key", value) is None


def test_the_value_of_another_key_is_no_audio() -> None:
    value = encode("key", tone(0.1))
    assert decode("another", value) is None


def test_a_value_is_smaller_than_its_samples() -> None:
    pcm = tone(2.0)
    assert len(encode("key", pcm)) < 0.7 * pcm.nbytes


# Memory


def memory(max_bytes: int = 10**6, clock: ManualSeconds | None = None) -> tuple[MemoryCache, Counted]:
    counted = Counted()
    return MemoryCache(max_bytes=max_bytes, ttl=60, clock=clock or ManualSeconds(100.0), observer=counted), counted


async def test_memory_keeps_audio_until_its_time_is_over() -> None:
    clock = ManualSeconds(100.0)
    cache, counted = memory(clock=clock)
    cache.put("a", tone(0.1))
    clock.now += 59.9
    [found, missing] = await cache.get_many(["a", "b"])
    np.testing.assert_array_equal(found, tone(0.1))
    assert missing is None
    clock.now += 0.1
    assert await cache.get_many(["a"]) == [None]
    assert cache.bytes == 0
    assert (counted.hits, counted.misses) == (1, 2)


async def test_memory_drops_what_was_not_used_longest() -> None:
    size = tone(0.1).nbytes + ENTRY_BYTES
    cache, _ = memory(max_bytes=3 * size)
    for name in "abc":
        cache.put(name, tone(0.1))
    await cache.get_many(["a"])
    cache.put("d", tone(0.1))
    assert [pcm is not None for pcm in await cache.get_many(["a", "b", "c", "d"])] == [True, False, True, True]
    cache.put("huge", tone(1.0))
    assert [pcm is not None for pcm in await cache.get_many(["a", "c", "d", "huge"])] == [True, True, True, False]


async def test_memory_keeps_a_copy_that_nobody_can_change() -> None:
    cache, _ = memory()
    pcm = tone(0.1)
    cache.put("a", pcm[:100])
    pcm[:] = 0
    [found] = await cache.get_many(["a"])
    assert found is not None
    assert found.base is None
    np.testing.assert_array_equal(found, tone(0.1)[:100])
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


@untimed
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 500)), max_size=60))
async def test_memory_never_holds_more_than_its_bound_nor_loses_count(puts: list[tuple[str, int]]) -> None:
    cache, _ = memory(max_bytes=4000)
    for name, length in puts:
        cache.put(name, np.full(length, length, np.int16))
        assert cache.bytes <= 4000
    held = [pcm for pcm in await cache.get_many(list("abcdefgh")) if pcm is not None]
    assert cache.bytes == sum(pcm.nbytes + ENTRY_BYTES for pcm in held)
    assert not puts or held


async def test_memory_is_cleared_by_key_and_by_model() -> None:
    cache, _ = memory()
    mine, other = key(HELLO), key(HELLO, model_digest="another")
    second = key(dataclasses.replace(HELLO, text="Another one."))
    for name in (mine, second, other):
        cache.put(name, tone(0.1))
    assert await cache.clear([mine]) == 1
    assert await cache.clear([mine]) == 0
    assert await cache.clear_model(DIGEST) == 1
    assert [pcm is not None for pcm in await cache.get_many([mine, second, other])] == [False, False, True]
