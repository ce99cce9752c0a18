"""The rollout of the workers: whether the current spec is rolled out, and what prevents it."""

from ttscontract.reason import Severity
from ttscontract.reasons import Reason
from ttsoperator import names
from ttsoperator.children.worker.served_model import key_of, worker_deployment
from ttsoperator.kube.manifest import Manifest, annotations, component_of, condition, has_condition, has_ended
from ttsoperator.names import Condition
from ttsoperator.reconcile.status import diagnosis
from ttsoperator.reconcile.status.conditions import Wanted
from ttsoperator.reconcile.status.diagnosis import Finding
from ttsoperator.reconcile.status.observed import Observed
from ttsoperator.spec import TTSService


def is_rolled_out(service: TTSService, observed: Observed) -> bool:
    """Return whether all workers are of the current template and, where any is wanted, one of them answers.

    The pods are asked, each of which carries the hash of its template, and not the Deployment's status, which is out of
    date for a moment whenever the autoscaler moves the count.
    """
    wanted, deployment = _desired(observed), _deployment(service, observed)
    if wanted is None or deployment is None or _template(deployment) != _template(wanted):
        return False
    workers = _workers(observed)
    if any(_hash(pod) != _template(wanted) for pod in workers):
        return False
    return replicas_wanted(service, observed) == 0 or any(has_condition(pod, "Ready") for pod in workers)


def rollout_finding(service: TTSService, observed: Observed) -> Finding | None:
    """Return what keeps the current spec from being rolled out and answering, None when nothing does."""
    deployment = _deployment(service, observed)
    if deployment is None:
        return Finding(Reason.PENDING, "the operator starts the workers next")
    if is_rolled_out(service, observed) and workload_condition(service, observed, None).status:
        return None
    wanted = _desired(observed)
    fresh = [pod for pod in _workers(observed) if wanted is not None and _hash(pod) == _template(wanted)]
    finding = _refused(deployment) or _worst(fresh, service)
    if _deadline_exceeded(deployment) and (finding is None or finding.reason.severity is not Severity.PATIENT):
        return _too_slow(finding)
    if finding is not None:
        return finding
    return Finding(Reason.ROLLING_OUT, "workers of the current spec replace those of the previous one")


def serves_wanted_model(service: TTSService, observed: Observed) -> bool:
    """Return whether the Deployment serves the model of the spec, and no longer the previous one."""
    wanted = _desired(observed)
    return wanted is not None and annotations(wanted)[names.MODEL_KEY] == (key_of(service) or "")


def workload_condition(service: TTSService, observed: Observed, model: Finding | None) -> Wanted:
    """Return WorkloadAvailable: whether requests are answered now, by workers of this spec or of the one before."""
    deployment, kind = _deployment(service, observed), Condition.WORKLOAD_AVAILABLE
    if deployment is None:
        if model is None:
            return Wanted(kind, status=False, reason=Reason.PENDING, message="the operator starts the workers next")
        return Wanted(kind, status=False, reason=Reason.WAITING_FOR_MODEL, message="the workers wait for the model")
    if replicas_wanted(service, observed) == 0:
        return Wanted(kind, status=True, reason=Reason.SCALED_TO_ZERO, message="the spec asks for no workers")
    if (deployment.get("status") or {}).get("availableReplicas", 0) > 0:
        return Wanted(kind, status=True, reason=Reason.WORKERS_AVAILABLE, message="workers answer")
    starting = Finding(Reason.WORKER_STARTING, "the first worker starts")
    finding = _refused(deployment) or _worst(_workers(observed), service) or starting
    return Wanted(kind, status=False, reason=finding.reason, message=finding.message)


def replicas_wanted(service: TTSService, observed: Observed) -> int:
    """Return how many workers are asked for, by the spec or by the autoscaler."""
    if service.spec.autoscaling is None:
        return service.spec.replicas
    deployment = _deployment(service, observed)
    return int(deployment["spec"].get("replicas", 1)) if deployment else service.spec.autoscaling.min_replicas


def _desired(observed: Observed) -> Manifest | None:
    deployments = (manifest for manifest in observed.desired if manifest["kind"] == "Deployment")
    return next((found for found in deployments if component_of(found) == names.Component.WORKER), None)


def _deployment(service: TTSService, observed: Observed) -> Manifest | None:
    return worker_deployment(service, observed.snapshot)


def _template(deployment: Manifest) -> str | None:
    return _hash(deployment["spec"]["template"])


def _hash(pod: Manifest) -> str | None:
    return annotations(pod).get(names.TEMPLATE_HASH)


def _workers(observed: Observed) -> list[Manifest]:
    """Return the workers that count, by name: an evicted pod stays in the list of pods, but is none any more."""
    pods = observed.snapshot.pods_of(names.Component.WORKER)
    alive = (pod for pod in pods if not has_ended(pod))
    return sorted(alive, key=lambda pod: str(pod["metadata"]["name"]))


def _worst(pods: list[Manifest], service: TTSService) -> Finding | None:
    found = (diagnosis.worker(pod, service.gpu_resource) for pod in pods)
    return diagnosis.worst(finding for finding in found if finding)


def _refused(deployment: Manifest) -> Finding | None:
    """Return why the namespace refuses pods: a quota or a policy."""
    if not has_condition(deployment, "ReplicaFailure"):
        return None
    failure = condition(deployment, "ReplicaFailure") or {}
    return Finding(Reason.PODS_REFUSED, f"the namespace refuses the workers: {failure.get('message', '')}")


def _deadline_exceeded(deployment: Manifest) -> bool:
    progressing = condition(deployment, "Progressing") or {}
    seen = (deployment.get("status") or {}).get("observedGeneration", 0)
    current = bool(seen >= deployment["metadata"].get("generation", 0))
    return current and progressing.get("reason") == "ProgressDeadlineExceeded"


def _too_slow(finding: Finding | None) -> Finding:
    if finding is not None and finding.stalled:
        return finding
    why = f": {finding.reason}, {finding.message}" if finding else ""
    return Finding(Reason.PROGRESS_DEADLINE_EXCEEDED, f"no worker of the current spec became ready in time{why}")
