"""Computes the whole status, from the findings of the other modules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ttscontract.reasons import Reason
from ttsoperator import names
from ttsoperator.children.worker.served_model import worker_deployment
from ttsoperator.names import Condition
from ttsoperator.reconcile.status.conditions import Wanted, merged, summary
from ttsoperator.reconcile.status.diagnosis import Finding
from ttsoperator.reconcile.status.model import MODEL_READY_REASONS, model_finding, model_status
from ttsoperator.reconcile.status.observed import Observed
from ttsoperator.reconcile.status.rollout import (
    is_rolled_out,
    replicas_wanted,
    rollout_finding,
    serves_wanted_model,
    workload_condition,
)
from ttsoperator.spec import InvalidSpec, TTSService

Status = dict[str, Any]

LONGEST_VOICE_LIST: Final = 64


def compute_status(
    service: TTSService | InvalidSpec, observed: Observed, previous: Mapping[str, Any], now: datetime
) -> Status:
    """Return the whole `.status`; equal to `previous` when nothing changed, so that nothing is written.

    `previous` is the `.status` of the object ({} at first), `now` is in UTC.
    """
    if isinstance(service, InvalidSpec):
        return _invalid(service, previous, now)
    conditions = merged(previous, _conditions(service, observed, now), service.generation, now)
    return {
        "observedGeneration": service.generation,
        "conditions": conditions,
        **_counts(service, observed),
        "engine": service.engine.name,
        "model": model_status(service, observed, previous.get("model") or {}, now),
        **_facts(service, observed, previous),
    }


def wants_facts(service: TTSService, observed: Observed, previous: Mapping[str, Any]) -> bool:
    """Return whether the status needs `Observed.facts`: only then a ready worker is scraped.

    The status takes them once for each generation of the spec. Every worker measures other numbers, so a status that
    followed them would be written again and again.
    """
    if not is_rolled_out(service, observed) or not replicas_wanted(service, observed):
        return False
    return "voices" not in previous or not _was_ready(service, previous)


def _invalid(error: InvalidSpec, previous: Mapping[str, Any], now: datetime) -> Status:
    """Return the status of an invalid spec: the workers continue to run, and the status keeps what it says of them."""
    found = summary(Finding(error.reason, error.message), Reason.READY, "")
    changed = merged(previous, found, error.generation, now)
    kept = [c for c in previous.get("conditions") or [] if c["type"] not in {w.type for w in found}]
    return {**previous, "observedGeneration": error.generation, "conditions": [*changed, *kept]}


def _conditions(service: TTSService, observed: Observed, now: datetime) -> list[Wanted]:
    model = model_finding(service, observed, now)
    blocking = _refusal(observed) or _unfinished(service, observed, model)
    none_wanted = replicas_wanted(service, observed) == 0
    found = summary(
        blocking,
        Reason.SCALED_TO_ZERO if none_wanted else Reason.READY,
        "the spec asks for no workers" if none_wanted else "the current spec is rolled out and workers answer",
    )
    found.append(_model_condition(service, model))
    found.append(workload_condition(service, observed, model))
    if service.spec.autoscaling is not None:
        found.append(_autoscaling_condition(service, observed))
    if observed.left_out:
        found.append(_add_ons_condition(observed))
    return found


def _unfinished(service: TTSService, observed: Observed, model: Finding | None) -> Finding | None:
    """Return what keeps the spec from being rolled out.

    A repeated download (its Job was deleted) does not, while the workers serve the same model.
    """
    rollout = rollout_finding(service, observed)
    return model if model is not None and (rollout or not serves_wanted_model(service, observed)) else rollout


def _refusal(observed: Observed) -> Finding | None:
    """Return everything that prevented the operator from writing children, under the reason of what comes first."""
    foreign = ", ".join(f"{conflict.kind} {conflict.name}" for conflict in observed.conflicts if not conflict.former)
    former = ", ".join(f"{conflict.kind} {conflict.name}" for conflict in observed.conflicts if conflict.former)
    problems: list[tuple[Reason, str]] = []
    if foreign:
        mend = "does not belong to this service: remove it, or give the TTSService another name"
        problems.append((Reason.NAME_CONFLICT, f"{foreign} exists and {mend}"))
    for refusal in observed.refusals:
        what = f"the API server refused {refusal.kind} {refusal.name}: {refusal.message}"
        problems.append((Reason.CHILD_REFUSED, what))
    if former:
        problems.append((Reason.WAITING_FOR_DELETION, f"{former} of a deleted TTSService of this name still exists"))
    return Finding(problems[0][0], "; ".join(message for _, message in problems)) if problems else None


def _model_condition(service: TTSService, finding: Finding | None) -> Wanted:
    if finding is not None:
        return Wanted(Condition.MODEL_READY, status=False, reason=finding.reason, message=finding.message)
    reason, message = MODEL_READY_REASONS[service.builtin]
    return Wanted(Condition.MODEL_READY, status=True, reason=reason, message=message)


def _autoscaling_condition(service: TTSService, observed: Observed) -> Wanted:
    """Return the HPA's own condition. Its message is repeated only on a failure: the others change all the time."""
    autoscaling = service.spec.autoscaling
    assert autoscaling is not None  # noqa: S101 - the caller checked it
    kind, ignored = Condition.AUTOSCALING_ACTIVE, "spec.replicas and /scale are ignored"
    hpa = observed.snapshot.get("HorizontalPodAutoscaler", names.hpa_name(service.name))
    if hpa is None:
        message = f"the operator creates the HorizontalPodAutoscaler with the workers; {ignored}"
        return Wanted(kind, status=False, reason=Reason.PENDING, message=message)
    reported = {c["type"]: c for c in (hpa.get("status") or {}).get("conditions") or []}
    for failing, reason in (("AbleToScale", Reason.SCALING_UNABLE), ("ScalingActive", Reason.METRICS_UNAVAILABLE)):
        if reported.get(failing, {}).get("status") == "False":
            if reported[failing].get("reason") == "ScalingDisabled":
                message = "the Deployment was scaled to zero by hand: scale it to one to switch the autoscaler on again"
                return Wanted(kind, status=False, reason=Reason.SCALED_TO_ZERO, message=message)
            return Wanted(kind, status=False, reason=reason, message=str(reported[failing].get("message", "")))
    if reported.get("ScalingActive", {}).get("status") != "True":
        message = f"the HorizontalPodAutoscaler has not read its metrics yet; {ignored}"
        return Wanted(kind, status=None, reason=Reason.PENDING, message=message)
    message = f"between {autoscaling.min_replicas} and {autoscaling.max_replicas} workers follow the load; {ignored}"
    return Wanted(kind, status=True, reason=Reason.SCALING, message=message)


def _add_ons_condition(observed: Observed) -> Wanted:
    message = "; ".join(f"{child.kind} {child.name} is left out: {child.reason}" for child in observed.left_out)
    return Wanted(Condition.ADD_ONS_INSTALLED, status=False, reason=Reason.API_NOT_INSTALLED, message=message)


def _counts(service: TTSService, observed: Observed) -> Status:
    deployment = worker_deployment(service, observed.snapshot) or {}
    reported = deployment.get("status") or {}
    selector = ",".join(f"{key}={value}" for key, value in sorted(names.worker_selector(service.name).items()))
    found = {
        "replicas": reported.get("replicas", 0),
        "readyReplicas": reported.get("readyReplicas", 0),
        "selector": selector,
    }
    if observed.snapshot.get("Service", names.service_name(service.name)) is not None:
        found["url"] = names.service_url(service.name, service.namespace)
    return found


def _facts(service: TTSService, observed: Observed, previous: Mapping[str, Any]) -> Status:
    kept = {key: previous[key] for key in ("voiceCount", "voices", "benchmark") if key in previous}
    facts = observed.facts
    if facts is None or not wants_facts(service, observed, previous):
        same_model = (previous.get("model") or {}).get("source") == service.spec.model.source
        return kept if same_model else {}
    voices = sorted(facts.voices, key=lambda voice: voice.name)
    benchmark = {}
    if facts.real_time_factor is not None:
        benchmark["realTimeFactorMilli"] = round(facts.real_time_factor * 1000)
    if facts.first_audio_seconds is not None:
        benchmark["firstAudioMilliseconds"] = round(facts.first_audio_seconds * 1000)
    found: Status = {
        "voiceCount": len(voices),
        "voices": [{"name": voice.name, "language": voice.language} for voice in voices[:LONGEST_VOICE_LIST]],
    }
    return found | ({"benchmark": benchmark} if benchmark else {})


def _was_ready(service: TTSService, previous: Mapping[str, Any]) -> bool:
    ready = next((c for c in previous.get("conditions") or [] if c["type"] == Condition.READY), None)
    return ready is not None and ready["status"] == "True" and previous.get("observedGeneration") == service.generation
