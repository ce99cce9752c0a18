"""What a pass requests because no watch reports it: download progress, a worker's voices, why a claim is unbound."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ttscontract import metrics
from ttscontract.metric import Metric
from ttsoperator.children.model.download import PROGRESS_SECONDS, own_claim
from ttsoperator.kube.client import KubeClient
from ttsoperator.kube.errors import ApiError
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.scrape import Samples, ScrapeFailed, Scraper, takes_requests, value
from ttsoperator.names import Component
from ttsoperator.reconcile.status import wants_facts
from ttsoperator.reconcile.status.observed import Observed, Progress, Voice, WorkerFacts
from ttsoperator.spec import TTSService
from ttsoperator.watch.store import Key

log = logging.getLogger(__name__)

FACTS_RETRY_SECONDS = 15.0
CLAIM_SECONDS = 10.0
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class _Noted:
    """The last answer to one question, and when it was asked."""

    at: float
    answer: Any


class Observer:
    """Asks the pods and the API server, each question about a service at most once in its own interval."""

    def __init__(self, cluster: KubeClient, scraper: Scraper, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._scraper = scraper
        self._clock = clock
        self._noted: dict[tuple[Key, str], _Noted] = {}

    def forget(self, key: Key) -> None:
        """Drop the answers about a service that is gone."""
        for question in ("download", "facts", "claim"):
            self._noted.pop((key, question), None)

    async def complete(
        self, key: Key, service: TTSService, observed: Observed, previous: Mapping[str, Any]
    ) -> tuple[Observed, float | None]:
        """Add the answers; return also after how many seconds to ask again, None: after the next watch event."""
        again: list[float] = []
        if downloading := _newest(observed.snapshot.pods_of(Component.MODEL), _is_running):
            progress = await self._ask(key, "download", PROGRESS_SECONDS, lambda: self._progress(downloading))
            observed = replace(observed, download=progress)
            again.append(PROGRESS_SECONDS)
        worker = _newest(observed.snapshot.pods_of(Component.WORKER), takes_requests)
        if worker and wants_facts(service, observed, previous):
            facts = await self._ask(key, "facts", FACTS_RETRY_SECONDS, lambda: self._facts(worker))
            observed = replace(observed, facts=facts)
            if facts is None:
                again.append(FACTS_RETRY_SECONDS)
        claim = own_claim(service, observed.snapshot)
        if claim is not None and not _is_bound(claim):
            classes, events = await self._ask(key, "claim", CLAIM_SECONDS, lambda: self._claim_hints(claim))
            observed = replace(observed, storage_classes=classes, claim_events=events)
            again.append(CLAIM_SECONDS)
        return observed, min(again, default=None)

    async def _ask(self, key: Key, question: str, interval: float, ask: Callable[[], Any]) -> Any:
        noted = self._noted.get((key, question))
        if noted is None or self._clock() - noted.at >= interval:
            noted = self._noted[key, question] = _Noted(self._clock(), await ask())
        return noted.answer

    async def _progress(self, pod: Manifest) -> Progress | None:
        try:
            samples = await self._scraper.pod(pod)
            total = _optional(samples, metrics.DOWNLOAD_SIZE)
            return Progress(int(value(samples, metrics.DOWNLOADED.name)), int(total or 0) or None)
        except ScrapeFailed as error:  # a Job that just began or just ended; its status has the rest
            log.debug("no download progress: %s", error)
            return None

    async def _facts(self, pod: Manifest) -> WorkerFacts | None:
        try:
            return read_facts(await self._scraper.pod(pod))
        except ScrapeFailed as error:
            log.warning("%s: %s", pod["metadata"]["namespace"], error)
            return None

    async def _claim_hints(self, claim: Manifest) -> tuple[dict[str, bool] | None, Sequence[str]]:
        meta = claim["metadata"]
        classes = await self._hint("storage.k8s.io/v1", "StorageClass", None)
        about = f"involvedObject.uid={meta['uid']},type=Warning"
        warnings = await self._hint("v1", "Event", meta["namespace"], fieldSelector=about)
        events = [e["message"] for e in sorted(warnings or (), key=_last_seen)]
        return None if classes is None else {c["metadata"]["name"]: _is_default(c) for c in classes}, events

    async def _hint(self, version: str, kind: str, namespace: str | None, **query: str) -> Sequence[Manifest] | None:
        """List what may be forbidden here: the hints are a courtesy, without one the status says less."""
        try:
            found, _ = await self._cluster.list_objects(version, kind, namespace, **query)
        except ApiError as error:
            log.debug("cannot list %s to explain an unbound claim: %s", kind, error)
            return None
        return found


def _is_default(storage_class: Manifest) -> bool:
    return (storage_class["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true"


def read_facts(samples: Samples) -> WorkerFacts:
    """Read the facts about the model from a worker's metrics."""
    voice, language = metrics.VOICE_INFO.labels
    voices = sorted(
        (sample.labels[voice], sample.labels[language])
        for sample in samples.get(metrics.VOICE_INFO.name, ())
        if sample.value == 1
    )
    return WorkerFacts(
        voices=tuple(Voice(*each) for each in voices),
        real_time_factor=_optional(samples, metrics.WARM_UP_REAL_TIME_FACTOR),
        first_audio_seconds=_optional(samples, metrics.WARM_UP_FIRST_AUDIO),
    )


def _optional(samples: Samples, metric: Metric) -> float | None:
    return value(samples, metric.name) if metric.name in samples else None


def _newest(pods: Sequence[Manifest], wanted: Callable[[Manifest], bool]) -> Manifest | None:
    return max(filter(wanted, pods), key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)


def _is_running(pod: Manifest) -> bool:
    return (pod.get("status") or {}).get("phase") == "Running"


def _is_bound(claim: Manifest) -> bool:
    return (claim.get("status") or {}).get("phase") == "Bound"


def _last_seen(event: Manifest) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
