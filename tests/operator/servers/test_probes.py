"""The operator's metrics and probes, asked over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from ttsoperator.metrics import Metrics
from ttsoperator.servers.probes import STUCK_SECONDS, Health, make_app


class State:
    synced = False
    stuck = 0.0


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
async def url(metrics: Metrics, state: State) -> AsyncIterator[str]:
    health = Health(synced=lambda: state.synced, stuck_seconds=lambda: state.stuck)
    runner = web.AppRunner(make_app(metrics, health), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def ask(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def scrape(url: str) -> dict[str, float]:
    status, text = await ask(f"{url}/metrics")
    assert status == 200
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {s.name + (str(sorted(s.labels.items())) if s.labels else ""): s.value for s in samples}


async def test_passes_are_counted_and_timed_by_result(url: str, metrics: Metrics) -> None:
    with metrics.timed_pass():
        metrics.passes.labels("changed").inc()
    with pytest.raises(ValueError, match="bug"), metrics.timed_pass():
        raise ValueError("bug")
    found = await scrape(url)
    assert found["tts_operator_reconciles_total[('result', 'changed')]"] == 1
    assert found["tts_operator_reconciles_total[('result', 'failed')]"] == 1
    assert found["tts_operator_reconciles_total[('result', 'refused')]"] == 0, "shown before it first happens"
    assert found["tts_operator_reconcile_errors_total"] == 1
    assert found["tts_operator_reconcile_duration_seconds_count"] == 2


async def test_gauges_show_the_reported_values(url: str, metrics: Metrics) -> None:
    metrics.leader.set_function(lambda: True)
    metrics.queue_depth.set_function(lambda: 7)
    metrics.pass_age.set_function(lambda: 1.5)
    metrics.count_request("PATCH", 200)
    metrics.count_scrape("failed")
    found = await scrape(url)
    assert found["tts_operator_leader"] == 1
    assert found["tts_operator_queue_depth"] == 7
    assert found["tts_operator_last_reconcile_age_seconds"] == 1.5
    assert found["tts_operator_api_requests_total[('code', '200'), ('verb', 'PATCH')]"] == 1
    assert found["tts_operator_scrapes_total[('result', 'failed')]"] == 1
    assert found["process_resident_memory_bytes"] > 1e6


async def test_ready_when_everything_has_been_listed(url: str, state: State) -> None:
    status, text = await ask(f"{url}/readyz")
    assert status == 503
    assert "listed" in text
    state.synced = True
    assert await ask(f"{url}/readyz") == (200, "ok\n")


async def test_alive_until_nothing_moves_any_more(url: str, state: State) -> None:
    state.stuck = STUCK_SECONDS - 1
    assert (await ask(f"{url}/healthz"))[0] == 200
    state.stuck = STUCK_SECONDS + 1
    status, text = await ask(f"{url}/healthz")
    assert status == 503
    assert "no pass has ended for 301 s" in text


async def test_names_follow_the_conventions(url: str) -> None:
    _, text = await ask(f"{url}/metrics")
    for family in text_string_to_metric_families(text):
        assert family.name.startswith(("tts_operator_", "process_"))
        assert ":" not in family.name
        assert family.documentation
