"""Deleting cached audio over HTTP, from a real Valkey behind a real server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from tests.support.valkey import running_valkey
from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import error_of
from tests.support.worker.caching import Counted, tone
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import PATIENCE_SECONDS, serve_worker, until
from ttsworker.cache import AudioCache, MemoryCache, NoCache, RedisCache, cache_key
from ttsworker.engines import Utterance
from ttsworker.http.server import listen
from ttsworker.models.loaded import EMBEDDED
from ttsworker.models.store import build_manifest, write_manifest
from ttsworker.observe.metrics import Metrics
from ttsworker.redis.client import RedisClient
from ttsworker.settings import Fallback, Settings
from ttsworker.worker import Worker

PATH = "/v1/audio/cache"
CLIENT = "somebody"
SECRET = "a-key-of-somebody"
NEIGHBOUR = "a-key-of-the-neighbour"
KEYS = [
    cache_key(Utterance(text, "one", owner=CLIENT), engine="artificial", model_digest=EMBEDDED)
    for text in ("One.", "Two.", "3.")
]


@asynccontextmanager
async def serving_with(cache: AudioCache, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    loaded = Settings(termination_log=Path("/nowhere"), **settings)
    worker = Worker(loaded, make_engine=lambda _: ArtificialEngine(), cache=cache)
    listener, stop = listen("127.0.0.1", 0), asyncio.Event()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended = asyncio.create_task(serve_worker(worker, listener, stop))
    # Ours is a key of no file: reading the file and asking for a key is not this route's.
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS, headers=headers) as client:
        try:
            await until(lambda: worker.admission.state == "open")
            yield client
        finally:
            stop.set()
            await ended


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"{CLIENT} {SECRET}\nneighbour {NEIGHBOUR}\n")
    return path


async def test_a_key_or_a_model_is_deleted(tmp_path: Path, keys_file: Path) -> None:
    counted = Counted()
    with running_valkey(tmp_path) as valkey:
        redis = RedisClient(
            SecretStr(valkey.url), counted, connect_seconds=PATIENCE_SECONDS, answer_seconds=PATIENCE_SECONDS
        )
        cache = RedisCache(redis, ttl_seconds=60, observer=counted, clock=ManualClock(), get_seconds=PATIENCE_SECONDS)
        async with serving_with(cache, api_keys_file=keys_file) as client:
            await until(lambda: redis.is_up)
            for key in KEYS:
                cache.put(key, tone(0.1))
            await until(lambda: valkey.client.dbsize() == 3)
            for query, deleted in (({"key": KEYS[0]}, 1), ({"key": KEYS[0]}, 0), ({"model": "artificial"}, 2)):
                answer = await client.delete(PATH, params=query)
                assert (answer.status_code, answer.json()) == (200, {"deleted": deleted})
            assert valkey.client.dbsize() == 0
            valkey.kill()
            answer = await client.delete(PATH, params={"model": "artificial"})
            assert error_of(answer) == (503, "cache_unavailable")
            assert int(answer.headers["retry-after"]) > 0
        await cache.close()
        await redis.close()


async def test_a_text_is_deleted_as_it_was_spoken(keys_file: Path) -> None:
    cache = MemoryCache(max_bytes=10**9, ttl=60, clock=ManualClock().monotonic, observer=Counted())
    async with serving_with(cache, api_keys_file=keys_file) as client:
        body: dict[str, str | float] = {"input": "One. Two.", "voice": "two", "speed": 1.5}
        for more in ({}, {"voice": "one"}):
            assert (await client.post("/v1/audio/speech", json=body | more)).status_code == 200
        for query, deleted in (({"input": "One."}, 0), (body, 2), (body, 0), ({**body, "voice": "one"}, 2)):
            answer = await client.delete(PATH, params=query)
            assert (answer.status_code, answer.json()) == (200, {"deleted": deleted})
        assert (await client.post("/v1/audio/speech", json=body)).headers["x-tts-cached-sentences"] == "0/2"


async def test_a_client_neither_deletes_nor_counts_what_another_had_spoken(keys_file: Path) -> None:
    cache = MemoryCache(max_bytes=10**9, ttl=60, clock=ManualClock().monotonic, observer=Counted())
    async with serving_with(cache, api_keys_file=keys_file) as client:
        for key in KEYS:
            cache.put(key, tone(0.1))
        other = {"Authorization": f"Bearer {NEIGHBOUR}"}
        for query in ({"key": KEYS[0]}, {"model": "artificial"}, {"input": "One. Two.", "voice": "one"}):
            answer = await client.delete(PATH, params=query, headers=other)
            assert (answer.status_code, answer.json()) == (200, {"deleted": 0})
        assert (await client.delete(PATH, params={"model": "artificial"})).json() == {"deleted": 3}


async def test_a_shared_cache_is_deleted_by_any_client(keys_file: Path) -> None:
    cache = MemoryCache(max_bytes=10**9, ttl=60, clock=ManualClock().monotonic, observer=Counted())
    async with serving_with(cache, api_keys_file=keys_file, share_cache=True) as client:
        body = {"input": "One. Two."}
        assert (await client.post("/v1/audio/speech", json=body)).status_code == 200
        other = {"Authorization": f"Bearer {NEIGHBOUR}"}
        assert (await client.delete(PATH, params=body, headers=other)).json() == {"deleted": 2}


async def test_the_audio_of_every_model_of_the_line_up_can_be_deleted(tmp_path: Path, keys_file: Path) -> None:
    folder = tmp_path / "spare"
    folder.mkdir()
    (folder / "model").write_text("a model")
    manifest = build_manifest(folder, source="https://example.org/model")
    write_manifest(folder, manifest)
    cache = MemoryCache(max_bytes=10**9, ttl=60, clock=ManualClock().monotonic, observer=Counted())
    spare = Fallback(model_dir=folder, model_name="spare")
    async with serving_with(cache, api_keys_file=keys_file, fallbacks=[spare]) as client:
        utterance = Utterance("One.", "one", owner=CLIENT)
        cache.put(cache_key(utterance, engine="artificial", model_digest=manifest.digest), tone(0.1))
        cache.put(KEYS[0], tone(0.1))
        for name in ("spare", "artificial"):
            assert (await client.delete(PATH, params={"model": name})).json() == {"deleted": 1}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "invalid_value"),
        ("?key=&model=", 400, "invalid_value"),
        (f"?key={KEYS[0]}&model=artificial", 400, "invalid_value"),
        ("?key=session:4711", 400, "invalid_value"),
        ("?key=tts:*", 400, "invalid_value"),
        ("?input=One.&model=artificial", 400, "invalid_value"),
        ("?input=One.&voice=nobody", 400, "unknown_voice"),
        ("?input=One.&speed=fast", 400, "invalid_value"),
        ("?input=%20", 400, "empty_text"),
        ("?model=another", 404, "model_not_found"),
        ("?model=lost", 404, "model_not_found"),
    ],
)
async def test_what_is_no_key_and_no_model_is_refused(keys_file: Path, query: str, status: int, code: str) -> None:
    lost = Fallback(model_dir=Path("/nowhere"), model_name="lost")
    async with serving_with(Untouchable(), api_keys_file=keys_file, fallbacks=[lost]) as client:
        assert error_of(await client.delete(PATH + query)) == (status, code)


async def test_without_api_keys_nobody_deletes() -> None:
    async with serving_with(Untouchable()) as client:
        answer = await client.delete(PATH, params={"model": "artificial"})
        assert error_of(answer) == (403, "api_keys_required")
        assert "api_keys_file" in answer.json()["error"]["message"]


class Untouchable(NoCache):
    """A cache that fails the test when it is cleared."""

    async def clear(self, keys: Sequence[str]) -> int:
        raise AssertionError(keys)

    async def clear_model(self, digest: str, client: str = "") -> int:
        raise AssertionError(digest, client)


def test_the_metrics_count_what_the_cache_tells() -> None:
    metrics = Metrics(read_gpu=lambda: None, max_concurrency=1)
    metrics.cache_looked_up(hits=2, misses=3)
    metrics.cache_failed("timeout")
    metrics.cache_available(available=True)

    def value(name: str, **labels: str) -> float | None:
        registry: CollectorRegistry = metrics.registry
        return registry.get_sample_value(name, labels)

    assert (value("tts_cache_hits_total"), value("tts_cache_misses_total")) == (2, 3)
    assert value("tts_cache_errors_total", reason="timeout") == 1
    assert value("tts_cache_available") == 1
