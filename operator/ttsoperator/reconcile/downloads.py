"""The download Job. The operator creates it, adopts it, and replaces it when it must run again."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.children.model.download import (
    PROGRESS_SECONDS,
    JobState,
    attempt_of,
    failed_at,
    failure_of,
    is_outdated,
    own_claim,
    state_of,
)
from ttsoperator.children.model.job import next_attempt
from ttsoperator.kube.manifest import Manifest, annotations, controller_of, is_deleting, labels, ref
from ttsoperator.reconcile.actions import Action, Adopt, Create, Delete, replace

FIRST_RETRY_SECONDS: Final = 10
LAST_RETRY_SECONDS: Final = 300


def download_actions(context: Context, wanted: Manifest, now: datetime) -> tuple[list[Action], float | None]:
    """Create the download Job, or replace one that failed, is outdated or wrote into a deleted claim.

    Return also after how many seconds to look again: None when only a watch event can change the result.
    """
    snapshot = context.snapshot
    job, claim = snapshot.get("Job", wanted["metadata"]["name"]), own_claim(context.service, snapshot)
    claim_deleting = claim is not None and is_deleting(claim)
    if job is None:
        return ([], None) if claim_deleting else ([Create(wanted)], PROGRESS_SECONDS)
    if is_deleting(job):
        return [], None
    if claim_deleting:
        return [Delete(ref(job), "its volume is being deleted")], None
    if state_of(job) is JobState.FAILED:
        return _retry(context, job, wanted, now)
    if reason := _outdated(job, wanted, claim):
        return replace(job, wanted, reason), PROGRESS_SECONDS
    ours = controller_of(job) is not None and labels(wanted).items() <= labels(job).items()
    return [] if ours else [Adopt(ref(job), wanted)], PROGRESS_SECONDS if state_of(job) is JobState.ACTIVE else None


def retry_time(failed_job: Manifest) -> datetime:
    """Return when a failed Job is replaced: after 10 s, 20 s, 40 s and so on up to five minutes."""
    wait = min(FIRST_RETRY_SECONDS * 2 ** min(attempt_of(failed_job), 10), LAST_RETRY_SECONDS)
    return failed_at(failed_job) + timedelta(seconds=wait)


def _outdated(job: Manifest, wanted: Manifest, claim: Manifest | None) -> str | None:
    """Return why a Job that has not failed must be replaced; a complete one is kept whatever has changed since."""
    if is_outdated(job, claim):
        return "its volume was recreated"
    same = annotations(job).get(names.APPLIED_HASH) == annotations(wanted)[names.APPLIED_HASH]
    return None if same or state_of(job) is JobState.COMPLETE else "the spec changed while it ran"


def _retry(context: Context, failed: Manifest, wanted: Manifest, now: datetime) -> tuple[list[Action], float | None]:
    """Replace a failed Job when its time has come, or at once when the spec has changed since it was made."""
    if annotations(failed).get(names.GENERATION) != str(context.service.generation):
        return replace(failed, wanted, "the spec changed after it failed"), PROGRESS_SECONDS
    due = retry_time(failed)
    if now < due:
        return [], (due - now).total_seconds()
    failure = json.dumps(asdict(failure_of(failed, context.snapshot)), ensure_ascii=False)
    return replace(failed, next_attempt(wanted, attempt_of(failed) + 1, failure), "it failed"), PROGRESS_SECONDS
