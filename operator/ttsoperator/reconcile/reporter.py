"""Writing the result of a pass: the status when it differs, and an event for each transition."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ttsoperator.kube.client import KubeClient, service_ref
from ttsoperator.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from ttsoperator.kube.manifest import Manifest, Ref, time_text
from ttsoperator.names import API_VERSION, GROUP, KIND, MANAGER
from ttsoperator.reconcile.status import Event, transitions
from ttsoperator.watch.store import Cache

log = logging.getLogger(__name__)

TRANSITION = f"{GROUP}/transition"
"""On an event: the status it was recorded for, so that an operator killed right after does not count it twice."""

LONGEST_MESSAGE = 1000  # the API takes 1024 bytes


class Reporter:
    """Writes status and events of TTSServices."""

    def __init__(self, cluster: KubeClient, cache: Cache) -> None:
        self._cluster = cluster
        self._cache = cache

    async def report(self, body: Manifest, status: Mapping[str, Any], now: datetime) -> bool:
        """Write `status` over that of `body` if it differs; return whether anything was written.

        Events come first: killed in between, the operator finds the same transition again and knows it by its mark.
        Raises Conflict when `body` is outdated, or was seen without all of its spec, as a watch shows it that is older
        than the last upgrade of the CRD. Then the cache has the newer one, or the whole.
        """
        previous = body.get("status") or {}
        if status == previous:
            return False
        mark = hashlib.sha256(json.dumps(previous, sort_keys=True).encode()).hexdigest()[:16]
        await asyncio.gather(*(self._record(body, event, mark, now) for event in transitions(previous, status)))
        meta = body["metadata"]
        target = service_ref(meta["namespace"], meta["name"], meta["uid"])
        patch = {
            "metadata": {"resourceVersion": meta["resourceVersion"]},
            "status": merge_patch(previous, status),
        }
        try:
            written = await self._cluster.patch(target, patch, "status")
        except NotFound:
            self._cache.drop(body)  # deleted while a watch was down: no event will arrive
            return True
        except Conflict:
            self._cache.put(await self._cluster.get(target))
            raise
        self._cache.put(written)
        if written.get("spec") != body.get("spec"):
            raise Conflict(409, "its spec has fields that the watch does not show")
        return True

    async def _record(self, body: Manifest, event: Event, mark: str, now: datetime) -> None:
        """Post an event, or count it again where the same was posted before; failing to is only logged."""
        manifest = _event(body, event, mark, now)
        meta = manifest["metadata"]
        target = Ref("v1", "Event", meta["namespace"], meta["name"])
        try:
            try:
                await self._cluster.create(manifest)
            except AlreadyExists:
                known = await self._cluster.get(target)
                if (known["metadata"].get("annotations") or {}).get(TRANSITION) != mark:
                    again = {
                        "metadata": {"annotations": {TRANSITION: mark}},
                        "count": (known.get("count") or 1) + 1,
                        "lastTimestamp": manifest["lastTimestamp"],
                    }
                    await self._cluster.patch(target, again)
        except ApiError as error:
            log.warning(
                "%s/%s: event %s not recorded: %s", meta["namespace"], body["metadata"]["name"], event.reason, error
            )


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that turns `old` into `new`."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, wanted in new.items():
        had = old.get(name)
        if isinstance(had, Mapping) and isinstance(wanted, Mapping):
            if had != wanted:
                patch[name] = merge_patch(had, wanted)
        elif name not in old or had != wanted:
            patch[name] = wanted
    return patch


def _event(body: Manifest, event: Event, mark: str, now: datetime) -> Manifest:
    meta = body["metadata"]
    identity = "\n".join((meta["uid"], event.type, event.reason, event.message))
    time = time_text(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta['name']}.{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
            "namespace": meta["namespace"],
            "annotations": {TRANSITION: mark},
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:LONGEST_MESSAGE],
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
    }
