"""A real Valkey that fails in every way under a real worker that is asked by several clients all the while.

Cache and rate limits are both in it. Every answer is 200 and has the right samples, whatever Valkey does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.valkey import running_valkey
from tests.support.worker.serving import PATIENCE_SECONDS, WorkerProcess, worker_process

CLIENTS = 6
ANSWERS = 3
"""Of each client in every state of Valkey."""

TEXTS = [f"Number {number} is called. Please come in." for number in range(1, 9)]


class Clients:
    """Ask for one text after another, in an order of each one's own, and check what they get."""

    def __init__(self, client: httpx.AsyncClient, right: dict[str, bytes]) -> None:
        self.wrong: list[str] = []
        self.hits = 0
        self._client = client
        self._right = right
        self._answers = [0] * CLIENTS
        self._changed = asyncio.Event()

    async def ask(self, number: int) -> None:
        """Be one of the clients, for ever."""
        for turn in range(10**9):
            text = TEXTS[(turn + number) % len(TEXTS)]
            answer = await self._client.post("/v1/audio/speech", json=body(text))
            if answer.status_code != 200 or answer.content != self._right[text]:
                self.wrong.append(f"{answer.status_code} {text} {answer.content[:100]!r}")
            self.hits += not answer.headers.get("x-tts-cached-sentences", "0").startswith("0")
            self._answers[number] += 1
            self._changed.set()

    async def some_answers(self) -> int:
        """Wait until each of them has had `ANSWERS` more; returns in how many of all there was something cached."""
        wanted, hits = [count + ANSWERS for count in self._answers], self.hits
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(count < least for count, least in zip(self._answers, wanted, strict=True)):
                self._changed.clear()
                await self._changed.wait()
        return self.hits - hits

    async def something_cached(self) -> None:
        """Wait until an answer has something from the cache."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.some_answers():
                pass


def body(text: str) -> dict[str, str]:
    return {"input": text, "response_format": "pcm"}


@asynccontextmanager
async def asking(worker: WorkerProcess) -> AsyncIterator[Clients]:
    async with httpx.AsyncClient(base_url=worker.url, timeout=PATIENCE_SECONDS) as client:
        right = {text: (await client.post("/v1/audio/speech", json=body(text))).content for text in TEXTS}
        clients = Clients(client, right)
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(clients.ask(number)) for number in range(CLIENTS)]
            yield clients
            for task in asking:
                task.cancel()


async def metric(worker: WorkerProcess, name: str, **labels: str) -> float:
    """Return a metric's value, 0 before there is one."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        families = text_string_to_metric_families((await client.get(worker.metrics_url)).text)
    samples = [sample for family in families for sample in family.samples]
    return next((each.value for each in samples if (each.name, each.labels) == (name, labels)), 0.0)


async def until_available(worker: WorkerProcess, *, available: bool) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await metric(worker, "tts_cache_available") != available:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.05)


async def test_whatever_valkey_does_every_answer_is_right(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as valkey:
        settings = {"TTSWORKER_REDIS_URL": valkey.url, "TTSWORKER_RATE_LIMIT_PER_SECOND": "10000"}
        with worker_process(settings) as worker:
            worker.wait_for("ready")
            async with asking(worker) as clients:
                await until_available(worker, available=True)
                await clients.something_cached()
                for break_it, mend_it in ((valkey.kill, valkey.start), (valkey.pause, valkey.resume)):
                    break_it()
                    await until_available(worker, available=False)
                    await clients.some_answers()
                    mend_it()
                    await until_available(worker, available=True)
                    await clients.some_answers()
                    await clients.something_cached()
                for lie in (b"garbage", None):  # None: a value of another type
                    for _ in range(ANSWERS):
                        assert await asyncio.to_thread(valkey.spoil, lie) > 0
                        await clients.some_answers()
            assert clients.wrong == []
            for reason in ("connection", "timeout", "corrupt"):
                assert await metric(worker, "tts_cache_errors_total", reason=reason) > 0, reason
            assert await metric(worker, "tts_rejected_total", reason="rate_limit_exceeded") == 0
            assert worker.terminate() == 0
