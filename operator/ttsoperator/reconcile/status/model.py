"""The state of the spec's model: what prevents it from being published, and `.status.model`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ttscontract.reasons import Reason
from ttsoperator.children.model.download import (
    PROGRESS_SECONDS,
    Failure,
    JobState,
    attempt_of,
    current_job,
    failure_of,
    is_outdated,
    is_published,
    last_failure,
    own_claim,
    pods_of,
    result_of,
    state_of,
)
from ttsoperator.kube.manifest import Manifest, time_text, timestamp
from ttsoperator.reconcile.status import diagnosis
from ttsoperator.reconcile.status.diagnosis import Finding, reported_reason
from ttsoperator.reconcile.status.observed import Observed, Progress
from ttsoperator.spec import TTSService
from ttsoperator.spec.status import ModelState

POD_TIME: Final = timedelta(seconds=60)
"""After this time a Job without a pod has none because a quota or a policy forbids it; its events say which."""

MODEL_READY_REASONS: Final = {
    True: (Reason.BUILT_IN, "the model is part of the worker image"),
    False: (Reason.PUBLISHED, "the model is on the volume, verified"),
}
"""Reason and message of ModelReady=True by whether the model is a builtin one."""


def model_finding(service: TTSService, observed: Observed, now: datetime) -> Finding | None:
    """Return what prevents the model from being published; None when it is published."""
    snapshot = observed.snapshot
    if service.builtin or is_published(service, snapshot):
        return None
    job = current_job(service, snapshot)
    if job is None or is_outdated(job, own_claim(service, snapshot)):
        return Finding(Reason.PENDING, "the operator starts the download next")
    if state_of(job) is JobState.FAILED:
        failure = failure_of(job, snapshot)
        return _failed(failure, f"attempt {attempt_of(job) + 1} failed, another follows")
    if obstacle := _obstacle(service, observed, job, now):
        return obstacle
    if earlier := last_failure(job):
        return _failed(earlier, f"attempt {attempt_of(job) + 1} is under way")
    return Finding(Reason.DOWNLOADING, f"downloading {service.spec.model.source}")


def _failed(failure: Failure, then: str) -> Finding:
    return Finding(reported_reason(failure.reason, Reason.DOWNLOAD_FAILED), f"{failure.message} ({then})")


def _obstacle(service: TTSService, observed: Observed, job: Manifest, now: datetime) -> Finding | None:
    """Return what prevents the download from running."""
    claim = own_claim(service, observed.snapshot)
    if claim is not None:
        unbound = diagnosis.claim(claim, observed.storage_classes, observed.claim_events)
        if unbound is not None:
            return unbound
    pods = sorted(pods_of(job, observed.snapshot), key=lambda pod: str(pod["metadata"]["name"]))
    if not pods and now - timestamp(job["metadata"]["creationTimestamp"]) > POD_TIME:
        name = job["metadata"]["name"]
        return Finding(
            Reason.PODS_REFUSED, f"the namespace refuses the download's pod: see `kubectl describe job {name}`"
        )
    found = (diagnosis.waiting(pod, "fetch", service.gpu_resource) for pod in pods)
    return diagnosis.worst(finding for finding in found if finding)


def model_status(service: TTSService, observed: Observed, previous: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return `.status.model`; `previous` is the one before."""
    source = service.spec.model.source
    before = previous if previous.get("source") == source else {}
    if service.builtin:
        return {"source": source, "state": ModelState.BUILT_IN.value}
    job = current_job(service, observed.snapshot)
    if job is not None and is_published(service, observed.snapshot):
        # The pod that reported them may be deleted by now.
        reported = {**_pick(before, ModelState.PUBLISHED), **result_of(job, observed.snapshot)}
        return {"source": source, "state": ModelState.PUBLISHED.value} | {
            key: reported[key] for key in ("digest", "bytes") if reported.get(key) is not None
        }
    if job is not None and state_of(job) is JobState.FAILED:
        return {"source": source, "state": ModelState.FAILED.value}
    if job is None or _obstacle(service, observed, job, now):
        return {"source": source, "state": ModelState.PENDING.value}
    progress = _progress(observed.download, _pick(before, ModelState.DOWNLOADING), now)
    return {"source": source, "state": ModelState.DOWNLOADING.value, **progress}


def _pick(before: Mapping[str, Any], state: ModelState) -> dict[str, Any]:
    if before.get("state") != state.value:
        return {}
    return {key: value for key, value in before.items() if key not in {"source", "state"}}


def _progress(download: Progress | None, before: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return bytes and speed; the previous ones while they are younger than PROGRESS_SECONDS."""
    if download is None:
        return before
    found: dict[str, Any] = {"bytes": download.bytes}
    if download.total_bytes is not None:
        found["totalBytes"] = download.total_bytes
    if "progressTime" in before:
        seconds = (now - timestamp(before["progressTime"])).total_seconds()
        if seconds < PROGRESS_SECONDS:
            return before
        found["bytesPerSecond"] = round(max(0, download.bytes - before["bytes"]) / seconds)
        if all(before.get(key) == value for key, value in found.items()):
            return before
    return {**found, "progressTime": time_text(now)}
