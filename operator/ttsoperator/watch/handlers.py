"""What is watched: each event updates the cache and wakes the service it belongs to; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kopf

from ttsoperator.children.registry import watched
from ttsoperator.watch.store import Cache, Key, key_of
from ttsoperator.watch.workqueue import WorkQueue


def register(registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]) -> None:
    """Watch every kind that a cluster always has; of the children's kinds only objects with our label are sent."""

    async def seen(event: kopf.RawEvent, **_: object) -> None:
        note(cache, queue, str(event["type"]), dict(event["object"]))

    for resource in watched():
        kopf.on.event(resource.api_version, resource.plural, id=resource.kind, registry=registry)(seen)


def note(cache: Cache, queue: WorkQueue[Key], event_type: str, obj: Mapping[str, Any]) -> None:
    """Take in one watch event."""
    before = cache.owner(obj)
    if event_type == "DELETED":
        cache.drop(obj)
    elif not cache.put(obj):
        return  # an echo of our own write, or older than what is known
    for key in {before, key_of(obj)}:
        if key:
            queue.add(key)
