"""The rate limit of each key and each address around a real server, by plain HTTP and by OpenAI's own client."""

from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import ValidationError

from tests.support.worker.artificial import ArtificialEngine
from tests.support.worker.asking import SPEECH
from tests.support.worker.keyed import BEARER, HELLO, code_of, rejected
from tests.support.worker.manual_clock import ManualClock
from tests.support.worker.serving import serving
from ttsworker.settings import Settings


async def test_openais_client_with_a_key_and_without_the_right_one(keys: Path) -> None:
    async with serving(ArtificialEngine(), api_keys_file=keys, rate_limit_per_second=10) as served:
        url = f"http://127.0.0.1:{served.port}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key="alices-key-for-tests", max_retries=0) as client:
            answer = await client.audio.speech.create(model="tts-1", voice="one", input="Hello.")
            assert answer.response.headers["content-type"] == "audio/mpeg"
            assert [model.id for model in (await client.models.list()).data] == ["artificial"]
        async with openai.AsyncOpenAI(base_url=url, api_key="unused", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError, match="not valid") as refused:
                await client.audio.speech.create(model="tts-1", voice="one", input="Hello.")
            assert refused.value.code == "invalid_api_key"
        async with openai.AsyncOpenAI(base_url=url, api_key="bobs-key-for-tests", max_retries=0) as client:
            for _ in range(2):
                await client.audio.speech.create(model="tts-1", voice="one", input="Hello.")
            with pytest.raises(openai.RateLimitError) as limited:
                await client.audio.speech.create(model="tts-1", voice="one", input="Hello.")
            assert (limited.value.code, limited.value.type) == ("rate_limit_exceeded", "rate_limit_error")


async def test_a_key_has_its_own_limit_and_only_speech_counts(keys: Path) -> None:
    bob = {"X-API-Key": "bobs-key-for-tests"}
    limit: dict[str, Any] = {"rate_limit_per_second": 0.001, "rate_limit_burst": 3}
    async with serving(ArtificialEngine(), clock=ManualClock(), api_keys_file=keys, **limit) as it:
        for path in ("/v1/models", "/v1/audio/voices", "/nowhere"):
            for _ in range(5):
                assert (await it.client.get(path, headers=bob)).status_code in {200, 404}
        statuses = [(await it.client.post(SPEECH, json=HELLO, headers=bob)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        answer = await it.client.get("/api/tts", params={"text": "Hello."}, headers=bob)  # the other API, one client
        assert (answer.status_code, code_of(answer)) == (429, "rate_limit_exceeded")
        assert 990 <= int(answer.headers["retry-after"]) <= 1000
        assert "0.001 requests a second, 2 at once" in answer.json()["error"]["message"]
        assert rejected(it, "rate_limit_exceeded") == 2
        statuses = [(await it.client.post(SPEECH, json=HELLO, headers=BEARER)).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        carol = {"X-API-Key": "carols-key-for-tests"}
        assert {(await it.client.post(SPEECH, json=HELLO, headers=carol)).status_code for _ in range(9)} == {200}


async def test_without_keys_an_address_is_a_client_whatever_it_claims() -> None:
    one, other = ({"X-Forwarded-For": address} for address in ("1.2.3.4", "5.6.7.8"))
    limit: dict[str, Any] = {"rate_limit_per_second": 0.001, "rate_limit_burst": 1}
    async with serving(ArtificialEngine(), **limit) as served:
        assert (await served.client.post(SPEECH, json=HELLO, headers=one)).status_code == 200
        for headers in (one, other, {"Forwarded": "for=9.9.9.9"}, {"X-Real-IP": "9.9.9.9"}, BEARER):
            assert (await served.client.post(SPEECH, json=HELLO, headers=headers)).status_code == 429
    async with serving(ArtificialEngine(), **limit, trusted_proxies=["127.0.0.0/8"]) as served:
        for address in ("1.2.3.4", "5.6.7.8", "2001:db8::1"):
            headers = {"X-Forwarded-For": f"9.9.9.9, {address}"}
            assert (await served.client.post(SPEECH, json=HELLO, headers=headers)).status_code == 200
            assert (await served.client.post(SPEECH, json=HELLO, headers=headers)).status_code == 429
        answer = await served.client.post(SPEECH, json=HELLO, headers={"X-Forwarded-For": "2001:db8::ffff"})
        assert answer.status_code == 429


async def test_no_limit_at_all() -> None:
    async with serving(ArtificialEngine(), rate_limit_per_second=0, rate_limit_burst=1) as served:
        assert {(await served.client.post(SPEECH, json=HELLO)).status_code for _ in range(30)} == {200}


def test_a_rate_too_small_to_count_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"0 for no limit, or at least 0\.001"):
        Settings(rate_limit_per_second=0.0001)


@pytest.mark.parametrize("query", [{"model": "artificial"}, {"input": "Hello."}, {"key": "wrong"}])
async def test_deleting_from_the_cache_counts_as_speech_does(keys: Path, query: dict[str, str]) -> None:
    """It reads a text, or makes Redis scan all it has."""
    bob = {"Authorization": "Bearer bobs-key-for-tests"}
    async with serving(ArtificialEngine(), api_keys_file=keys) as served:
        asked = [await served.client.delete("/v1/audio/cache", params=query, headers=bob) for _ in range(3)]
        assert [each.status_code == 429 for each in asked] == [False, False, True]
        assert code_of(asked[2]) == "rate_limit_exceeded"
