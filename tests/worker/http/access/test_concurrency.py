"""How many requests a client may have at once, around a real server."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.serving import Served, serving, until
from tests.support.worker.slow_reader import reading
from ttsworker.http.access.concurrency import Concurrency
from ttsworker.http.errors import ApiError

PROXIED: dict[str, Any] = {"trusted_proxies": ["127.0.0.1"], "max_requests_per_client": 2}
OTHERS: tuple[dict[str, str], ...] = ({}, {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "2001:db8:1::1"})
"""Other clients than GREEDY, the first one the proxy itself."""
GREEDY = {"X-Forwarded-For": "203.0.113.1"}


def ask(served: Served, text: str, headers: dict[str, str]) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(served.client.post(SPEECH, json={"input": text}, headers=headers))


def accepted(served: Served) -> int:
    return served.worker.admission.accepted


def assert_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "concurrency_limit_exceeded")
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert int(answer.headers["retry-after"]) >= 1


async def test_one_client_has_its_number_and_others_go_on() -> None:
    engine = ArtificialEngine()
    async with serving(engine, **PROXIED) as served:
        engine.gate.clear()
        first = [ask(served, f"Number {number}.", GREEDY) for number in range(2)]
        await until(lambda: accepted(served) == 2)
        assert_refused(await ask(served, "One more.", GREEDY))
        assert_refused(await served.client.get("/api/tts", params={"text": "Another route."}, headers=GREEDY))
        assert_refused(await served.client.get("/process", params={"INPUT_TEXT": "And another."}, headers=GREEDY))
        assert (await served.client.get("/v1/models", headers=GREEDY)).status_code == 200
        others = [ask(served, "Somebody else.", headers) for headers in OTHERS]
        await until(lambda: accepted(served) == 5)
        engine.gate.set()
        assert {each.status_code for each in await asyncio.gather(*first, *others)} == {200}
        assert (await ask(served, "There is room again.", GREEDY)).status_code == 200
        labels = {"reason": "concurrency_limit_exceeded"}
        assert served.worker.metrics.registry.get_sample_value("tts_rejected_total", labels) == 3


async def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    engine = ArtificialEngine()
    async with serving(engine, **PROXIED) as served:
        engine.gate.clear()
        asked = [ask(served, "Hello.", {"X-Forwarded-For": f"2001:db8::{number}"}) for number in (1, 2)]
        await until(lambda: accepted(served) == 2)
        assert_refused(await ask(served, "Hello.", {"X-Forwarded-For": "2001:db8::3"}))
        engine.gate.set()
        await asyncio.gather(*asked)


@pytest.mark.parametrize("headers", [GREEDY, {"X-Forwarded-For": "127.0.0.1"}])
async def test_a_header_that_no_trusted_proxy_wrote_makes_no_second_client(headers: dict[str, str]) -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_requests_per_client=1) as served:
        engine.gate.clear()
        first = ask(served, "Hello.", {})
        await until(lambda: accepted(served) == 1)
        assert_refused(await ask(served, "Hello.", headers))
        engine.gate.set()
        await first


async def test_a_place_is_free_again_however_the_request_ends() -> None:
    engine = ArtificialEngine()
    async with serving(engine, max_requests_per_client=1) as served:
        for text, status in (("FAIL.", 500), ("", 400), ("<b>No.</b>", 400), ("UNSPEAKABLE.", 400), ("Yes.", 200)):
            assert (await ask(served, text, {})).status_code == status
        engine.gate.clear()
        leaving = ask(served, "Its client leaves.", {})
        await until(lambda: accepted(served) == 1)
        leaving.cancel()
        await until(lambda: accepted(served) == 0)
        engine.gate.set()
        assert (await ask(served, "The next.", {})).status_code == 200


async def test_a_client_is_its_key_and_a_key_may_have_its_own_number(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("alice the-key-of-alice\nbatch the-key-of-batch concurrent=0\nbob the-key-of-bobby concurrent=1\n")
    engine = ArtificialEngine()
    async with serving(engine, api_keys_file=keys, max_requests_per_client=2) as served:
        engine.gate.clear()
        asked = []
        for name, most in (("alice", 2), ("bobby", 1), ("batch", 4)):
            asked += [ask(served, "Hello.", {"X-API-Key": f"the-key-of-{name}"}) for _ in range(most)]
        await until(lambda: accepted(served) == 7)
        for name in ("alice", "bobby"):
            assert_refused(await ask(served, "Hello.", {"X-API-Key": f"the-key-of-{name}"}))
        engine.gate.set()
        assert {each.status_code for each in await asyncio.gather(*asked)} == {200}


async def test_seventy_two_slow_readers_of_one_client_leave_places_for_others() -> None:
    """The issue's attack with the default settings, but for the rate: each reads nothing after its first bytes."""
    engine = ArtificialEngine(seconds_per_character=0.4)
    text = "A sentence of some words. " * 20
    async with (
        serving(engine, trusted_proxies=["127.0.0.1"], max_requests_per_client=20) as served,
        AsyncExitStack() as clients,
    ):
        heads = [(await clients.enter_async_context(reading(served, text, GREEDY)))[1] for _ in range(72)]
        assert sum(b" 200 " in each for each in heads) == 20
        assert sum(b" 429 " in each for each in heads) == 52
        assert (await ask(served, "Somebody else.", {"X-Forwarded-For": "203.0.113.2"})).status_code == 200


def test_nothing_is_remembered_of_who_has_left() -> None:
    concurrency = Concurrency()
    for number in range(1000):
        with concurrency.count(str(number), 1):
            assert len(concurrency) == 1
            with pytest.raises(ApiError), concurrency.count(str(number), 1):
                pass
    assert len(concurrency) == 0
