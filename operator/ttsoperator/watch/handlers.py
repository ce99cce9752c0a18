"""What is watched: each event updates the cache and wakes the service it belongs to; nothing is decided here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import kopf

from ttsoperator.names import GROUP, KIND, PLURAL, VERSION
from ttsoperator.watch.store import Cache, Key, key_of
from ttsoperator.watch.workqueue import WorkQueue


@dataclasses.dataclass(frozen=True)
class Watched:
    """One kind, as kopf names it and as lists of it are asked for."""

    api_version: str
    kind: str
    plural: str


WATCHED = (
    Watched(f"{GROUP}/{VERSION}", KIND, PLURAL),
    Watched("v1", "ServiceAccount", "serviceaccounts"),
    Watched("v1", "ConfigMap", "configmaps"),
    Watched("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Watched("v1", "Service", "services"),
    Watched("v1", "Pod", "pods"),
    Watched("batch/v1", "Job", "jobs"),
    Watched("apps/v1", "Deployment", "deployments"),
    Watched("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
)


def register(registry: kopf.OperatorRegistry, cache: Cache, queue: WorkQueue[Key]) -> None:
    """Watch every kind; our own objects are the only ones of the others' kinds that are sent to us."""

    async def seen(event: kopf.RawEvent, **_: object) -> None:
        note(cache, queue, str(event["type"]), dict(event["object"]))

    for kind in WATCHED:
        kopf.on.event(kind.api_version, kind.plural, id=kind.kind, registry=registry)(seen)


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
