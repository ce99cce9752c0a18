"""The cache in a real Valkey."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.support.valkey import Valkey
from tests.support.worker.caching import Counted, tone
from tests.support.worker.serving import PATIENCE_SECONDS, until
from ttsworker.audio import Pcm
from ttsworker.cache import (
    RedisCache,
    cache_key,
)
from ttsworker.clock import Clock, SystemClock
from ttsworker.engines import Utterance
from ttsworker.redis.breaker import BackOff
from ttsworker.redis.client import RedisClient

DIGEST = "sha256:" + "0123456789abcdef" * 4
QUICK = BackOff(first=0.01, longest=0.05)
NEVER = BackOff(first=1e6, longest=1e6)
"""No probe after the first failure: what a test counts is then all there was."""


def key(number: int = 0, model_digest: str = DIGEST) -> str:
    return cache_key(Utterance(f"Sentence {number}.", "heart"), engine="hibari", model_digest=model_digest)


@asynccontextmanager
async def caching(
    url: str,
    *,
    up: bool = True,
    connect_seconds: float = PATIENCE_SECONDS,
    get_seconds: float = PATIENCE_SECONDS,
    back_off: BackOff = QUICK,
    ttl: int = 3600,
    clock: Clock | None = None,
) -> AsyncIterator[tuple[RedisCache, Counted]]:
    """Open a cache that has timeouts only if a test wants them, and wait until Redis answers, or does not."""
    counted = Counted()
    redis = RedisClient(
        SecretStr(url), counted, connect_seconds=connect_seconds, answer_seconds=PATIENCE_SECONDS, back_off=back_off
    )
    cache = RedisCache(redis, ttl_seconds=ttl, observer=counted, clock=clock or SystemClock(), get_seconds=get_seconds)
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


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the Redis client's log lines; there is no password in any line, whoever wrote it."""
    everything = [vars(record) | {"told": record.getMessage(), "trace": record.exc_text} for record in caplog.records]
    assert "hunter2" not in json.dumps(everything, default=str)
    ours = [line for line in everything if line["name"].startswith("ttsworker.redis")]
    return [line for line in ours if line["levelno"] >= logging.INFO]
