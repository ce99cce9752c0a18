"""What has to be written so that the cluster becomes what the spec asks for: a pure function of both."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from ttsoperator import names
from ttsoperator.children import Defaults, desired_children
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
from ttsoperator.kube.manifest import Manifest, Ref, annotations, controller_of, is_deleting, ref
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.reconcile.drift import differs
from ttsoperator.spec import TTSService

FIRST_RETRY_SECONDS: Final = 10
LAST_RETRY_SECONDS: Final = 300


@dataclass(frozen=True)
class Create:
    """Create the object.

    If the name is taken `snapshot.ownership` decides: OURS is applied instead, of FORMER and FOREIGN nothing is written
    and an `observed.Conflict` is reported.
    """

    manifest: Manifest


@dataclass(frozen=True)
class Apply:
    """Server-side apply (forced, manager `tts-operator`) over the object that is there."""

    manifest: Manifest


@dataclass(frozen=True)
class Delete:
    """Delete the object (background propagation, uid as precondition); that it is gone already is success."""

    ref: Ref
    reason: str


@dataclass(frozen=True)
class HandOverReplicas:
    """Server-side apply of `spec.replicas` alone (forced, manager `tts-operator-handover`).

    So the count has another owner when it leaves our apply, or starts at the autoscaler's minimum.
    """

    deployment: Ref
    replicas: int


Action = Create | Apply | Delete | HandOverReplicas


@dataclass(frozen=True)
class Plan:
    """Actions to do in order (the first that fails ends the pass), what is wanted, and when to look again.

    `desired` goes into `observed.Observed`; `requeue_after` is in seconds, None when a watch event will tell.
    """

    actions: tuple[Action, ...]
    desired: tuple[Manifest, ...]
    requeue_after: float | None = None


def make_plan(service: TTSService, defaults: Defaults, snapshot: Snapshot, now: datetime) -> Plan:
    """Compare what `service` wants with the `snapshot`; an empty plan means the cluster is as wanted.

    Of a service that is being deleted nothing is written: garbage collection takes its children.
    """
    if service.deleting:
        return Plan((), ())
    desired = desired_children(service, defaults, snapshot)
    # Before the Deployment gets its replicas back, or the autoscaler would set them once more.
    actions: list[Action] = list(_unwanted_autoscaler(service, snapshot))
    requeue_after = None
    for manifest in desired:
        if manifest["kind"] == "Job":
            job_actions, requeue_after = _job(service, manifest, snapshot, now)
            actions += job_actions
        else:
            actions += _child(service, manifest, snapshot)
    actions += _unwanted_jobs(service, desired, snapshot)
    actions += _unwanted_claim(service, snapshot)
    return Plan(tuple(actions), tuple(desired), requeue_after)


def _child(service: TTSService, manifest: Manifest, snapshot: Snapshot) -> Iterator[Action]:
    there = snapshot.get(manifest["kind"], manifest["metadata"]["name"])
    autoscaling = service.spec.autoscaling if manifest["kind"] == "Deployment" else None
    if there is None:
        yield Create(manifest)
        if autoscaling is not None and autoscaling.min_replicas > 1:
            yield HandOverReplicas(ref(manifest), autoscaling.min_replicas)
    elif not is_deleting(there) and differs(manifest, there):
        if autoscaling is not None and annotations(there).get(names.SCALED_BY) != "autoscaler":
            yield HandOverReplicas(ref(there), max(there["spec"].get("replicas", 1), autoscaling.min_replicas))
        yield Apply(manifest)


def _job(service: TTSService, wanted: Manifest, snapshot: Snapshot, now: datetime) -> tuple[list[Action], float | None]:
    """Create the download Job, or replace one that failed, is out of date or wrote into a claim that is gone."""
    there, claim = snapshot.get("Job", wanted["metadata"]["name"]), own_claim(service, snapshot)
    volume_goes = claim is not None and is_deleting(claim)
    if there is None:
        return ([], None) if volume_goes else ([Create(wanted)], PROGRESS_SECONDS)
    if is_deleting(there):
        return [], None
    if volume_goes:
        return [Delete(ref(there), "its volume is being deleted")], None
    if state_of(there) is JobState.FAILED:
        return _retry(service, there, wanted, snapshot, now)
    if reason := _outdated(there, wanted, claim):
        return _replace(there, wanted, reason), PROGRESS_SECONDS
    return [], PROGRESS_SECONDS if state_of(there) is JobState.ACTIVE else None


def _outdated(there: Manifest, wanted: Manifest, claim: Manifest | None) -> str | None:
    """Tell why a Job that has not failed must be replaced; a complete one is left alone whatever has changed since."""
    if is_outdated(there, claim):
        return "its volume was made anew"
    same = annotations(there).get(names.APPLIED_HASH) == annotations(wanted)[names.APPLIED_HASH]
    return None if same or state_of(there) is JobState.COMPLETE else "the spec changed while it ran"


def _retry(
    service: TTSService, failed: Manifest, wanted: Manifest, snapshot: Snapshot, now: datetime
) -> tuple[list[Action], float | None]:
    """Replace a failed Job when its time has come, or at once when the spec has changed since it was made."""
    if annotations(failed).get(names.GENERATION) != str(service.generation):
        return _replace(failed, wanted, "the spec changed after it failed"), PROGRESS_SECONDS
    due = retry_time(failed)
    if now < due:
        return [], (due - now).total_seconds()
    told = json.dumps(asdict(failure_of(failed, snapshot)), ensure_ascii=False)
    return _replace(failed, next_attempt(wanted, attempt_of(failed) + 1, told), "it failed"), PROGRESS_SECONDS


def retry_time(failed_job: Manifest) -> datetime:
    """Return when a failed Job is replaced: after 10 s, 20 s, 40 s and so on up to five minutes."""
    wait = min(FIRST_RETRY_SECONDS * 2 ** min(attempt_of(failed_job), 10), LAST_RETRY_SECONDS)
    return failed_at(failed_job) + timedelta(seconds=wait)


def _replace(there: Manifest, wanted: Manifest, reason: str) -> list[Action]:
    return [Delete(ref(there), reason), Create(wanted)]


def _unwanted_autoscaler(service: TTSService, snapshot: Snapshot) -> Iterator[Action]:
    if service.spec.autoscaling is None:
        for there in snapshot.of_kind("HorizontalPodAutoscaler"):
            if not is_deleting(there):
                yield Delete(ref(there), "autoscaling is switched off")


def _unwanted_jobs(service: TTSService, desired: list[Manifest], snapshot: Snapshot) -> Iterator[Action]:
    """Delete Jobs of other models: an unfinished one at once, a complete one when the new model is there too."""
    wanted = {manifest["metadata"]["name"] for manifest in desired if manifest["kind"] == "Job"}
    published = service.builtin or any(
        state_of(job) is JobState.COMPLETE for job in snapshot.of_kind("Job") if job["metadata"]["name"] in wanted
    )
    for there in snapshot.of_kind("Job"):
        if there["metadata"]["name"] in wanted or is_deleting(there):
            continue
        if published or state_of(there) is not JobState.COMPLETE:
            yield Delete(ref(there), "another model is wanted")


def _unwanted_claim(service: TTSService, snapshot: Snapshot) -> Iterator[Action]:
    """Delete the claim of a service whose model is now a builtin one, when no worker uses it any more.

    A claim that is to be retained has no controller and stays.
    """
    claim = own_claim(service, snapshot)
    if not service.builtin or claim is None or is_deleting(claim) or controller_of(claim) is None:
        return
    name = claim["metadata"]["name"]
    templates = [child["spec"]["template"] for kind in ("Deployment", "Job") for child in snapshot.of_kind(kind)]
    if not any(_mounts(pod, name) for pod in [*templates, *snapshot.pods]):
        yield Delete(ref(claim), "the model is a builtin one")


def _mounts(pod: Manifest, claim: str) -> bool:
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return any((volume.get("persistentVolumeClaim") or {}).get("claimName") == claim for volume in volumes)
