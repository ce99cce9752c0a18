"""Forgetting audio: an API of our own, for those who have a key."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from ttsworker.cache import CacheUnavailable, is_cache_key
from ttsworker.errors import ApiError
from ttsworker.routes.bodies import LoadedWorker

CACHE_PATH = "/v1/audio/cache"

RETRY_AFTER = "5"
"""Seconds; a Redis that was restarted is found again in about that time."""


router = APIRouter(tags=["Cache"])

_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"description": "Neither or both of key and model are given, or the key is none of a cache."},
    403: {"description": "The worker has no API keys: nobody may delete."},
    404: {"description": "There is no such model."},
    503: {"description": "Redis cannot be used; try again after Retry-After seconds."},
}


@router.delete(CACHE_PATH, responses=_RESPONSES)
async def clear_cache(
    worker: LoadedWorker,
    key: Annotated[str | None, Query(description="Of one sentence: tts:<model>:<hash>.")] = None,
    model: Annotated[str | None, Query(description="The served model's name: all of its audio.")] = None,
) -> dict[str, int]:
    """Delete the audio of a key or of the model from the cache; the answer says of how many sentences."""
    if worker.settings.api_keys_file is None:  # with keys, whoever comes here has shown one
        message = "deleting needs an API key, and this worker has none: set api_keys_file"
        raise ApiError(403, "api_keys_required", message)
    if bool(key) == bool(model):
        raise ApiError(400, "invalid_value", "give either key or model in the query", param="key")
    if key and not is_cache_key(key):
        raise ApiError(400, "invalid_value", "key is not one of a cache: tts:<16 hex digits>:<32>", param="key")
    if model and model != worker.model_name:
        message = f"there is no such model; this worker serves {worker.model_name}"
        raise ApiError(404, "model_not_found", message, param="model")
    try:
        if key:
            return {"deleted": await worker.cache.clear(key=key)}
        return {"deleted": await worker.cache.clear(model=worker.model_digest)}
    except CacheUnavailable as error:
        raise ApiError(503, "cache_unavailable", str(error), headers={"Retry-After": RETRY_AFTER}) from error
