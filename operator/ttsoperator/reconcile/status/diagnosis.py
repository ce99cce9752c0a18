"""Names what blocks a pod, a claim or a rollout: the reasons and messages of the conditions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ttscontract.reason import Severity
from ttscontract.reasons import Reason
from ttsoperator.children.model.download import termination
from ttsoperator.kube.manifest import Manifest, condition, has_condition


@dataclass(frozen=True)
class Finding:
    """Why something is not as it should be, and what to do about it."""

    reason: Reason
    message: str

    @property
    def stalled(self) -> bool:
        """Whether a person must act first."""
        return self.reason.severity is Severity.STALLED


def reported_reason(text: object, otherwise: Reason) -> Reason:
    """Return the reason that a program of ours reported, `otherwise` when no condition may have what it reported."""
    return next((reason for reason in Reason if reason == text and reason.is_condition), otherwise)


def worst(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding to report: the first that needs a person, else the first."""
    return min(findings, key=lambda finding: not finding.stalled, default=None)


def waiting(pod: Manifest, container: str, gpu_resource: str) -> Finding | None:
    """Return what prevents a pod's container from starting; None when nothing does."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        return _unscheduled(str(scheduled.get("message", "")), gpu_resource)
    state = _container(pod, container).get("state", {}).get("waiting", {})
    reason, message = state.get("reason", ""), str(state.get("message", ""))
    if reason in {"ErrImagePull", "ImagePullBackOff"}:
        why = message.rsplit("ErrImagePull: ", 1)[-1]
        return Finding(Reason.IMAGE_PULL, f"the image {_image(pod, container)} cannot be pulled: {why}")
    if reason in {"InvalidImageName", "ErrImageNeverPull"}:
        return Finding(Reason.IMAGE_INVALID, f"the image {_image(pod, container)} cannot be used: {message}")
    if reason in {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}:
        return Finding(Reason.CONTAINER_CONFIG, f"the container cannot be started: {message}")
    return None


def _unscheduled(message: str, gpu_resource: str) -> Finding:
    why = message.split(" preemption:", maxsplit=1)[0].split(" no new claims", maxsplit=1)[0].rstrip(" ,.")
    if f"Insufficient {gpu_resource}" in message:
        return Finding(Reason.WAITING_FOR_GPU, f"no node has a free {gpu_resource}: {why}")
    if any(word in message.lower() for word in ("persistentvolume", "storageclass", "volume node affinity")):
        return Finding(Reason.WAITING_FOR_VOLUME, f"the model's volume does not exist: {why}")
    return Finding(Reason.UNSCHEDULABLE, f"no node accepts the pod: {why}")


def worker(pod: Manifest, gpu_resource: str) -> Finding | None:
    """Return why a worker does not answer; None when it does."""
    if has_condition(pod, "Ready"):
        return None
    if found := waiting(pod, "worker", gpu_resource):
        return found
    ended = termination(pod, "worker")
    if ended is None or ended["exitCode"] == 0:
        return Finding(Reason.WORKER_STARTING, "the worker loads its model and warms up")
    if ended["cause"] == "OOMKilled":
        return Finding(
            Reason.OUT_OF_MEMORY, "the worker was killed for using more than its memory limit: raise spec.resources"
        )
    reason = reported_reason(ended.get("reason"), Reason.WORKER_CRASHING)
    message = ended.get("message") or f"the worker ended with code {ended['exitCode']}: see its log"
    return Finding(reason, str(message))


def claim(manifest: Manifest, classes: Mapping[str, bool] | None, events: Iterable[str]) -> Finding | None:
    """Return what prevents a claim from being bound; None when it is bound or waits for its first pod.

    `classes` are the cluster's StorageClasses and whether each is the default, None when they are not known.
    """
    if (manifest.get("status") or {}).get("phase") == "Bound":
        return None
    name = manifest["spec"].get("storageClassName")
    known = ", ".join(sorted(classes)) or "none" if classes is not None else ""
    if classes is not None and name and name not in classes:
        return Finding(
            Reason.WAITING_FOR_VOLUME, f"the StorageClass {name} does not exist: create it (there are: {known})"
        )
    if classes is not None and name is None and not any(classes.values()):
        return Finding(
            Reason.WAITING_FOR_VOLUME,
            f"the cluster has no default StorageClass: make one the default (there are: {known}), "
            "or name one in spec.storage.storageClassName of a new TTSService",
        )
    last = next(reversed(list(events)), None)
    return Finding(Reason.WAITING_FOR_VOLUME, f"the claim is not bound: {last}") if last else None


def _container(pod: Manifest, name: str) -> dict[str, Any]:
    statuses: list[dict[str, Any]] = (pod.get("status") or {}).get("containerStatuses") or []
    return next((status for status in statuses if status.get("name") == name), {})


def _image(pod: Manifest, container: str) -> str:
    return next((str(c["image"]) for c in pod["spec"]["containers"] if c["name"] == container), "?")
