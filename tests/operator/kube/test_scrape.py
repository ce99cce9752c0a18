"""Reading pods' metrics from real Prometheus exporters on loopback, and from servers that misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from ttsoperator.kube.scrape import ScrapeFailed, Scraper, parse, takes_requests, value

PATIENCE_SECONDS = 60.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def pod(address: str | None = "127.0.0.1", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "english-1"}, "status": status | ({"podIP": address} if address else {})}


@pytest.fixture
def exporter() -> Iterator[int]:
    registry = CollectorRegistry()
    Gauge("tts_queue_depth", "Waiting", registry=registry).set(3)
    voices = Gauge("tts_voice_info", "Voices", ["voice", "language"], registry=registry)
    voices.labels("amy", "en").set(1)
    voices.labels("bob", "en").set(1)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[int]]]:
    runners = []

    async def start(handler: Handler) -> int:
        app = web.Application()
        app.router.add_get("/metrics", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return int(runner.addresses[0][1])

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_a_real_exporter_is_read(exporter: int) -> None:
    results: list[str] = []
    scraper = Scraper(results.append, port=exporter, timeout=PATIENCE_SECONDS)
    samples = await scraper.pod(pod())
    assert value(samples, "tts_queue_depth") == 3
    assert {s.labels["voice"] for s in samples["tts_voice_info"]} == {"amy", "bob"}
    assert results == ["answered"]
    await scraper.close()


async def test_many_pods_are_scraped_concurrently(serve: Callable[[Handler], Awaitable[int]]) -> None:
    together = asyncio.Barrier(20)

    async def wait_for_the_others(_: web.Request) -> web.Response:
        await together.wait()
        return web.Response(text="tts_queue_depth 1\n")

    scraper = Scraper(port=await serve(wait_for_the_others), timeout=PATIENCE_SECONDS)
    answers = await scraper.pods([pod()] * 20)
    assert sum(value(samples, "tts_queue_depth") for samples in answers) == 20
    await scraper.close()


async def test_a_pod_that_does_not_answer_in_time_is_a_failure(
    serve: Callable[[Handler], Awaitable[int]],
) -> None:
    never = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    scraper = Scraper(port=await serve(hang), timeout=0.2)
    with pytest.raises(ScrapeFailed, match="pod english-1 did not return metrics: no answer in time"):
        await scraper.pod(pod())
    never.set()
    await scraper.close()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, "oops", "HTTP 500"),
        (302, "", "HTTP 302"),
        (200, "tts_queue_depth{ 1", "did not return metrics"),
        (200, "<html>hello</html>", "none of the metrics of a worker"),
        (200, "python_info 1\n", "none of the metrics of a worker"),
        (200, 'tts_voice_info{voice="' + '\\"' * 1024 + '"} 1', "a line has more than 1024 characters"),
    ],
)
async def test_an_answer_without_metrics_is_a_failure(
    serve: Callable[[Handler], Awaitable[int]], status: int, body: str, message: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Location": "/elsewhere"} if status == 302 else None)

    results: list[str] = []
    scraper = Scraper(results.append, port=await serve(answer), timeout=PATIENCE_SECONDS)
    with pytest.raises(ScrapeFailed, match=message):
        await scraper.pod(pod())
    assert results == ["failed"]
    await scraper.close()


async def test_an_endless_answer_is_cut_off(serve: Callable[[Handler], Awaitable[int]]) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"# " + b"x" * 100_000 + b"\n")
        return response

    scraper = Scraper(port=await serve(flood), timeout=PATIENCE_SECONDS)
    with pytest.raises(ScrapeFailed, match="more than 262144 bytes"):
        await scraper.pod(pod())
    await scraper.close()


def test_only_what_the_operator_reads_is_parsed() -> None:
    hostile = 'x_info{voice="' + '\\"' * 50_000 + '"} 1'
    assert list(parse(f"{hostile}\ntts_queue_depth 3\n# TYPE a gauge\n{{broken\n")) == ["tts_queue_depth"]


async def test_one_missing_pod_spoils_the_whole_answer(exporter: int) -> None:
    scraper = Scraper(port=exporter, timeout=PATIENCE_SECONDS)
    with pytest.raises(ScrapeFailed, match="no address yet"):
        await scraper.pods([pod(), pod(None)])
    await scraper.close()


async def test_a_closed_port_is_a_failure() -> None:
    scraper = Scraper(port=1, timeout=PATIENCE_SECONDS)
    with pytest.raises(ScrapeFailed, match="english-1"):
        await scraper.pod(pod())
    with pytest.raises(ScrapeFailed, match="english-1"):
        await scraper.pod(pod("::1"))
    await scraper.close()


@pytest.mark.parametrize(
    "text",
    [
        "tts_model_ready 1\n",
        "tts_queue_depth NaN\n",
        "tts_queue_depth +Inf\n",
        'tts_queue_depth{a="b"} 1\ntts_queue_depth{a="c"} 1\n',
    ],
)
def test_only_one_finite_number_is_a_value(text: str) -> None:
    with pytest.raises(ScrapeFailed, match="tts_queue_depth"):
        value(parse(text), "tts_queue_depth")


@pytest.mark.parametrize(
    ("ready", "deleting", "counts"),
    [("True", False, True), ("False", False, False), ("True", True, False), (None, False, False)],
)
def test_ready_pods_count(ready: str | None, deleting: bool, counts: bool) -> None:  # noqa: FBT001
    there = pod(conditions=[{"type": "Ready", "status": ready}] if ready else [])
    if deleting:
        there["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert takes_requests(there) is counts
