"""The same audio, bit by bit, whichever way a text takes through the worker; the engines are real ones."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.valkey import running_valkey
from tests.support.worker import tiny_piper
from tests.support.worker.serving import PATIENCE_SECONDS, Served, serving, until
from ttsworker.audio import Audio, Pcm, silence, to_pcm
from ttsworker.engines import Engine, EngineOptions, Utterance, find_engine
from ttsworker.models.store import build_manifest, write_manifest

SENTENCES = ("The first one is here.", "Now there is a second one.", "This is the end of it.")
TEXT = " ".join(SENTENCES)
BLOCKER = "It keeps the engine busy while the others come."

# torch and Coqui warn about themselves when they are imported and when they load a checkpoint.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@dataclass
class Model:
    """An engine, the folder of its model, and what it says when it is asked for one sentence by itself."""

    engine: str
    folder: Path | None
    alone: Engine

    def says(self, *sentences: str) -> Pcm:
        pause = silence(self.alone.pause_seconds, self.alone.sample_rate)
        voice = self.alone.voices[0].name
        spoken = [to_pcm(self.alone.synthesize([Utterance(sentence, voice)])[0]) for sentence in sentences]
        return np.concatenate([spoken[0], *(part for each in spoken[1:] for part in (pause, each))])


@pytest.fixture(scope="module", params=["hibari", "onnx", "coqui"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = None
    if request.param == "coqui":
        from tests.support.worker import tiny_vits  # noqa: PLC0415 - imports torch, which takes seconds

        folder = tmp_path_factory.mktemp("coqui")
        tiny_vits.write(folder)
        write_manifest(folder, build_manifest(folder, source="https://example.org/vits.tar"))
    if request.param == "onnx":
        folder = tmp_path_factory.mktemp("onnx")
        tiny_piper.write(folder)
        write_manifest(folder, build_manifest(folder, source="https://example.org/piper.tar"))
    alone = find_engine(request.param)(EngineOptions(folder))
    alone.load()
    return Model(request.param, folder, alone)


class Turnstile:
    """Lets the engine begin so many calls; the probes do not count. Tells how many sentences each call had."""

    def __init__(self, engine: Engine) -> None:
        self.batches: list[int] = []
        self._permits = threading.Semaphore(0)
        self._probe = engine.probe
        self._stream, self._synthesize = engine.stream, engine.synthesize

    def let(self, calls: int = 1000) -> None:
        self._permits.release(calls)

    def stream(self, utterance: Utterance) -> Iterator[Audio]:
        if utterance != self._probe:
            self._permits.acquire()
            self.batches.append(1)
        return self._stream(utterance)

    def synthesize(self, batch: Sequence[Utterance]) -> list[Audio]:
        self._permits.acquire()
        self.batches.append(len(batch))
        return self._synthesize(batch)


@asynccontextmanager
async def speaking(model: Model, **settings: Any) -> AsyncIterator[tuple[Served, Turnstile]]:
    """Serve the model, one call at a time, each of up to four sentences and each held at the turnstile."""
    made: list[Engine] = []

    def make(options: EngineOptions) -> Engine:
        engine = find_engine(model.engine)(options)
        engine.parallelism, engine.max_batch_size = 1, 4
        made.append(engine)
        return engine

    settings = {"threads": 1, "max_batch_size": 4, "model_dir": model.folder, **settings}
    async with serving(make, **settings) as served:
        turnstile = Turnstile(made[0])
        vars(made[0]).update(stream=turnstile.stream, synthesize=turnstile.synthesize)
        try:
            yield served, turnstile
        finally:
            turnstile.let()


def request(served: Served, text: str, **more: Any) -> httpx.Request:
    rate = served.model.engine.sample_rate
    body = {"input": text, "response_format": "pcm", "sample_rate": rate, **more}
    return served.client.build_request("POST", "/v1/audio/speech", json=body)


def ask(served: Served, text: str, **more: Any) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(served.client.send(request(served, text, **more)))


def heard(answer: httpx.Response) -> Pcm:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, "<i2")


def cached(answer: httpx.Response) -> str:
    return answer.headers["x-tts-cached-sentences"]


async def test_alone_and_streamed(model: Model) -> None:
    async with speaking(model) as (served, turnstile):
        turnstile.let()
        expected = model.says(*SENTENCES)
        for stream in (False, True):
            answer = await ask(served, TEXT, stream=stream)
            assert ("content-length" in answer.headers) is not stream
            assert np.array_equal(heard(answer), expected)


async def test_merged_with_others(model: Model) -> None:
    texts = [" ".join(SENTENCES[n:] + SENTENCES[:n]) for n in range(3)] + ["A fourth one."]
    async with speaking(model) as (served, turnstile):
        blocker = ask(served, BLOCKER)
        await until(lambda: served.worker.admission.accepted == 1 and not served.model.scheduler.waiting)
        answers = [ask(served, text, stream=number % 2 == 0) for number, text in enumerate(texts)]
        await until(lambda: served.worker.admission.accepted == 5)
        turnstile.let()
        assert np.array_equal(heard(await blocker), model.says(BLOCKER))
        for number, answer in enumerate(await asyncio.gather(*answers)):
            sentences = (*SENTENCES[number:], *SENTENCES[:number]) if number < 3 else ("A fourth one.",)
            assert np.array_equal(heard(answer), model.says(*sentences))
        assert max(turnstile.batches) == 4


async def test_shared_with_another_who_asks_the_same(model: Model) -> None:
    async with speaking(model) as (served, turnstile):
        answers = [ask(served, TEXT, stream=stream) for stream in (False, True, True)]
        await until(lambda: served.worker.admission.accepted == 3)
        turnstile.let()
        for answer in await asyncio.gather(*answers):
            assert np.array_equal(heard(answer), model.says(*SENTENCES))
        assert turnstile.batches == [1, 1, 1]


@pytest.mark.parametrize("where", ["memory", "valkey"])
async def test_cached(model: Model, where: str, tmp_path: Path) -> None:
    with running_valkey(tmp_path) as valkey:
        redis = {"redis_url": valkey.url} if where == "valkey" else {}
        async with speaking(model, cache_ttl_seconds=3600, **redis) as (served, turnstile):
            turnstile.let()
            first = await ask(served, TEXT)
            assert cached(first) == "0/3"
            await until_cached(served, TEXT, "3/3")
            for answer in (first, await ask(served, TEXT), await ask(served, TEXT, stream=False)):
                assert np.array_equal(heard(answer), model.says(*SENTENCES))
            mixed = await ask(served, f"{SENTENCES[2]} Something new. {SENTENCES[0]}")
            assert np.array_equal(heard(mixed), model.says(SENTENCES[2], "Something new.", SENTENCES[0]))
            if where == "memory":  # a Redis that is late for once is not waited for
                assert cached(mixed) == "2/3"
                assert len(turnstile.batches) == 4


async def test_resumed_after_the_client_left(model: Model) -> None:
    async with speaking(model, cache_ttl_seconds=3600) as (served, turnstile):
        turnstile.let(1)
        first = await served.client.send(request(served, TEXT), stream=True)
        received = b""
        async for chunk in first.aiter_raw():
            received += chunk
            if len(received) >= 2 * len(model.says(SENTENCES[0])):
                break
        await first.aclose()
        await until(lambda: served.worker.admission.accepted == 0)
        turnstile.let()
        again = await ask(served, TEXT)
        assert cached(again) == "1/3"
        assert np.array_equal(heard(again), model.says(*SENTENCES))
        assert np.array_equal(np.frombuffer(received, "<i2"), heard(again)[: len(received) // 2])


async def until_cached(served: Served, text: str, expected: str) -> None:
    """Redis is written behind the answers: ask until it has everything."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while cached(await ask(served, text)) != expected:  # noqa: ASYNC110 - the cache has no event
            await asyncio.sleep(0.05)
