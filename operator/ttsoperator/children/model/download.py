"""The state of a download Job, read from the Job and its pod."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from ttscontract.reasons import Reason
from ttsoperator import names
from ttsoperator.kube.manifest import Manifest, annotations, condition, has_condition, timestamp
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService

PROGRESS_SECONDS: Final = 5.0
"""The minimum interval of passes for a running download, and of updates of the bytes in the status."""


class JobState(Enum):
    """The state of a Job."""

    ACTIVE = "active"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True)
class Failure:
    """Why a download failed: the reason and message of the fetch program, if it could write them."""

    reason: str
    message: str


def state_of(job: Manifest) -> JobState:
    """Return the state of a Job."""
    if has_condition(job, "Complete"):
        return JobState.COMPLETE
    return JobState.FAILED if has_condition(job, "Failed") else JobState.ACTIVE


def current_job(service: TTSService, snapshot: Snapshot) -> Manifest | None:
    """Return the Job of the spec's model, if it exists."""
    model = service.spec.model
    return snapshot.get("Job", names.job_name(service.name, model.source, model.sha256))


def own_claim(service: TTSService, snapshot: Snapshot) -> Manifest | None:
    """Return the service's own claim, if it exists."""
    return snapshot.get("PersistentVolumeClaim", names.claim_name(service.name))


def is_outdated(job: Manifest, claim: Manifest | None) -> bool:
    """Return whether a new, empty claim has replaced the one that the Job wrote to."""
    if claim is None:
        return False
    made, since = (timestamp(m["metadata"]["creationTimestamp"]) for m in (job, claim))
    return since > made


def is_published(service: TTSService, snapshot: Snapshot) -> bool:
    """Return whether the spec's model is published on the volume."""
    job = current_job(service, snapshot)
    return job is not None and state_of(job) is JobState.COMPLETE and not is_outdated(job, own_claim(service, snapshot))


def failed_at(job: Manifest) -> datetime:
    """Return when a failed Job failed."""
    found = condition(job, "Failed")
    assert found is not None  # noqa: S101 - callers ask about failed Jobs only
    return timestamp(found["lastTransitionTime"])


def pods_of(job: Manifest, snapshot: Snapshot) -> list[Manifest]:
    """Return the pods of this Job, not those of an earlier Job with the same name."""
    uid = job["metadata"].get("uid")
    return [
        pod for pod in snapshot.pods if any(r.get("uid") == uid for r in pod["metadata"].get("ownerReferences") or [])
    ]


def result_of(job: Manifest, snapshot: Snapshot) -> dict[str, Any]:
    """Return the fetch program's termination message (reason, digest, bytes, message), {} if it is unknown."""
    for pod in pods_of(job, snapshot):
        if found := termination(pod, "fetch"):
            return found
    return {}


def failure_of(job: Manifest, snapshot: Snapshot) -> Failure:
    """Return why a failed Job failed."""
    found = result_of(job, snapshot)
    if "reason" in found:
        return Failure(str(found["reason"]), str(found.get("message", "")))
    failed = condition(job, "Failed") or {}
    message = found.get("message") or failed.get("message") or "the download ended and gave no reason"
    return Failure(Reason.DOWNLOAD_FAILED, str(message))


def last_failure(job: Manifest) -> Failure | None:
    """Return why the previous Job failed, if this Job is a further attempt."""
    text = annotations(job).get(names.LAST_FAILURE)
    if text is None:
        return None
    found = parse_message(text)
    return Failure(str(found.get("reason", Reason.DOWNLOAD_FAILED)), str(found.get("message", "")))


def attempt_of(job: Manifest) -> int:
    """Return how many Jobs failed before this one."""
    text = annotations(job).get(names.ATTEMPT, "0")
    return int(text) if text.isdecimal() else 0


def termination(pod: Mapping[str, Any], container: str) -> dict[str, Any] | None:
    """Return a container's last termination message, with its `exitCode` and Kubernetes' own reason as `cause`.

    None if it has not terminated. A message that is not JSON becomes `message`.
    """
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        if status.get("name") != container:
            continue
        for state in (status.get("state") or {}, status.get("lastState") or {}):
            if ended := state.get("terminated"):
                left = parse_message(ended.get("message") or "")
                return {**left, "exitCode": ended.get("exitCode"), "cause": ended.get("reason")}
    return None


def parse_message(text: str) -> dict[str, Any]:
    """Parse a termination message: JSON from our programs, else the last line of a log."""
    try:
        found = json.loads(text)
    except ValueError:
        lines = text.strip().splitlines()
        return {"message": lines[-1][:512]} if lines else {}
    return found if isinstance(found, dict) else {"message": str(found)[:512]}
