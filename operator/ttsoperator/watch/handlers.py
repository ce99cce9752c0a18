"""The watch handlers: each event updates the cache and adds its service to the queue; handlers decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kopf

from ttsoperator.children.registry import watched
from ttsoperator.watch.store import Cache, Key, key_of
from ttsoperator.watch.workqueue import WorkQueue


def register(registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]) -> None:
    """Watch every kind that a cluster always has; watch only children and pods with our label."""

    async def seen(event: kopf.RawEvent, **_: object) -> None:
        on_event(cache, queue, str(event["type"]), dict(event["object"]))

    for resource in watched():
        kopf.on.event(resource.api_version, resource.plural, id=resource.kind, registry=registry)(seen)


def on_event(cache: Cache, queue: WorkQueue[Key], event_type: str, obj: Mapping[str, Any]) -> None:
    """Update the cache by one watch event, and add its service to the queue."""
    before = cache.owner(obj)
    if event_type == "DELETED":
        cache.drop(obj)
    elif not cache.put(obj):
        return  # an echo of our own write, or older than the cached version
    for key in {before, key_of(obj)}:
        if key:
            queue.add(key)
