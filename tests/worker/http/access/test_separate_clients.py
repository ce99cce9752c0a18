"""What the client of one key learns of another one's requests: nothing, unless they share."""

import asyncio
from pathlib import Path
from typing import Any

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.keyed import BEARER, HELLO
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import serving, until


async def test_no_key_tells_what_another_had_spoken(keys: Path) -> None:
    """Neither the header nor the time does: the engine speaks the sentence again."""
    engine = ArtificialEngine()
    alice, carol = BEARER, {"X-API-Key": "carols-key-for-tests"}
    async with serving(engine, clock=ManualClock(), api_keys_file=keys, cache_ttl_seconds=60) as served:

        async def ask(headers: dict[str, str]) -> str:
            answer = await served.client.post(SPEECH, json={"input": "My secret."}, headers=headers)
            assert answer.status_code == 200
            return str(answer.headers["x-tts-cached-sentences"])

        assert [await ask(alice), await ask(alice)] == ["0/1", "1/1"]
        assert [await ask(carol), await ask(carol)] == ["0/1", "1/1"]
        for path in ("/api/tts?text=Another.", "/process?INPUT_TEXT=Another."):
            for headers in (alice, carol):
                assert (await served.client.get(path, headers=headers)).status_code == 200
        assert engine.begun.count("My secret.") == 2
        assert engine.begun.count("Another.") == 2


async def test_a_sentence_in_flight_is_not_shared_with_another_key(keys: Path) -> None:
    engine = ArtificialEngine()
    clients = [BEARER, BEARER, {"X-API-Key": "carols-key-for-tests"}]
    async with serving(engine, clock=ManualClock(), api_keys_file=keys) as served:
        engine.gate.clear()
        asked = [asyncio.create_task(served.client.post(SPEECH, json=HELLO, headers=headers)) for headers in clients]
        await until(lambda: served.worker.admission.accepted == 3)
        engine.gate.set()
        answers = await asyncio.gather(*asked)
        assert len({answer.content for answer in answers}) == 1
        assert engine.begun.count("Hello.") == 2


async def test_clients_may_share_their_audio(keys: Path) -> None:
    engine = ArtificialEngine()
    shared: dict[str, Any] = {"api_keys_file": keys, "cache_ttl_seconds": 60, "share_cache": True}
    async with serving(engine, clock=ManualClock(), **shared) as served:
        for headers in (BEARER, {"X-API-Key": "carols-key-for-tests"}):
            answer = await served.client.post(SPEECH, json=HELLO, headers=headers)
        assert answer.headers["x-tts-cached-sentences"] == "1/1"
        assert engine.begun.count("Hello.") == 1
