"""Deleting audio from the cache: an API of our own, for clients with a key."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from ttsworker.cache import is_cache_key, is_shared_with
from ttsworker.engines import ModelError
from ttsworker.http.errors import ApiError
from ttsworker.http.routes.bodies import LoadedParts, audio_owner, unknown_model
from ttsworker.speech.parts import Parts
from ttsworker.speech.preparing import keyed_script
from ttsworker.speech.request import parse_speech_request

CACHE_PATH = "/v1/audio/cache"

router = APIRouter(tags=["Cache"])

_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "The query must have exactly one of key, model and input, with a valid value."},
    403: {"description": "The worker has no API keys, so it deletes nothing."},
    404: {"description": "Unknown model."},
    503: {"description": "Redis cannot be used; try again after Retry-After seconds."},
}


class CacheSelector(BaseModel):
    """What to delete: one of `key`, `model` and `input`; the others say how the input was spoken."""

    key: str | None = Field(None, description="Key of one sentence in Redis.")
    model: str | None = Field(
        None, description="Name of the served model or of a fallback, to delete all of its audio."
    )
    input: str | None = Field(None, description="Text whose sentences to delete.")
    voice: str | None = Field(None, description="Voice of the sentences, with input.")
    language: str | None = Field(None, description="Language of the sentences, with input.")
    speed: str | None = Field(None, description="Speed of the sentences, with input.")
    markup: str | None = Field(None, description="What the input is written in, as in a request for speech.")
    tags: str | None = Field(None, description="Whether tags are removed from the input, as in a request for speech.")


@router.delete(CACHE_PATH, responses=_RESPONSES)
async def clear_cache(
    request: Request, parts: LoadedParts, selector: Annotated[CacheSelector, Query()]
) -> dict[str, int]:
    """Delete a sentence, a text's sentences or a model's audio from the cache; returns how many sentences.

    A client deletes its own audio only: the count would tell what its neighbours had spoken. With `share_cache`
    everybody's audio is its own.
    """
    if parts.settings.api_keys_file is None:  # with keys, access control has checked the client's key
        message = "deleting needs an API key, but this worker has none: set api_keys_file"
        raise ApiError(403, "api_keys_required", message)
    if sum(map(bool, (selector.key, selector.model, selector.input))) != 1:
        raise ApiError(400, "invalid_value", "send exactly one of key, model and input in the query", param="key")
    owner = audio_owner(request, parts)
    if selector.model:
        return {"deleted": await parts.cache.clear_model(await _digest(parts, selector.model), owner)}
    keys = [_checked(selector.key)] if selector.key else await _keys(parts, selector, owner)
    if not all(is_shared_with(key, owner) for key in keys):
        return {"deleted": 0}
    return {"deleted": await parts.cache.clear(keys)}


def _checked(key: str) -> str:
    if not is_cache_key(key):
        raise ApiError(
            400,
            "invalid_value",
            "key must be one of this cache in Redis, such as tts:<16 hex digits>:<32 hex digits>",
            param="key",
        )
    return key


async def _digest(parts: Parts, model: str) -> str:
    try:
        digest = await asyncio.to_thread(parts.failover.digest_of, model)
    except ModelError as error:
        raise ApiError(404, "model_not_found", str(error), param="model") from error
    if digest is None:
        raise unknown_model(parts)
    return digest


async def _keys(parts: Parts, selector: CacheSelector, owner: str) -> list[str]:
    """Return the keys of a text's sentences, as a request for speech with these parameters has them."""
    wanted, _ = parse_speech_request(selector.model_dump_json(exclude_none=True, exclude={"key", "model"}).encode())
    _, keys = await keyed_script(parts, parts.failover.active, wanted, owner=owner)
    return keys
