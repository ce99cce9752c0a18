"""Job that downloads the model into the volume, verifies it and publishes it."""

from typing import Any, Final

from ttscontract.model_folder import MODEL_ROOT
from ttscontract.pods import METRICS_PORT
from ttsoperator import names
from ttsoperator.children.context import Context, Defaults
from ttsoperator.children.model.claim import claim_of
from ttsoperator.children.model.download import JobState, current_job, state_of
from ttsoperator.children.pods import TMP_MOUNT, TMP_VOLUME, container, environment, pod_spec, template_metadata
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import annotated, metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities
from ttsoperator.spec.model import DEFAULT_SIZE

DEADLINE_SECONDS: Final = 12 * 3600
"""After which Kubernetes ends a download, whatever it waits for; the operator's next attempt continues it. A model of
10 GiB takes so long at 250 KiB a second."""

_RESOURCES: Final[dict[str, Any]] = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}


def build(context: Context) -> Manifest | None:
    """Return the first Job for the spec's model, None for an embedded one; `next_attempt` makes the next attempt."""
    service, model = context.service, context.service.spec.model
    if service.builtin:
        return None
    manifest = with_applied_hash(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(
                service, names.job_name(service.name, model.source, model.sha256), names.Component.MODEL
            ),
            "spec": {
                # The fetch program retries transient errors; the operator replaces a failed Job. The Job has no time to
                # live, because the complete Job is the record that the model is published.
                "backoffLimit": 0,
                "activeDeadlineSeconds": DEADLINE_SECONDS,
                "template": {
                    "metadata": template_metadata(service, names.Component.MODEL),
                    "spec": _pod(service, context.defaults),
                },
            },
        }
    )
    return annotated(manifest, {names.ATTEMPT: "0", names.GENERATION: str(service.generation)})


def unwanted(job: Manifest, context: Context) -> str | None:
    """Return why to delete another model's Job: an unfinished one at once, a complete one after the new model is there.

    Until then the complete one is the record of the model that the workers serve, to which the spec may return.
    """
    current = current_job(context.service, context.snapshot)
    there = context.service.builtin or (current is not None and state_of(current) is JobState.COMPLETE)
    return "the spec names another model" if there or state_of(job) is not JobState.COMPLETE else None


def next_attempt(job: Manifest, attempt: int, last_failure: str) -> Manifest:
    """Return the Job for a further attempt; it records why the last one failed."""
    return annotated(job, {names.ATTEMPT: str(attempt), names.LAST_FAILURE: last_failure})


def _pod(service: TTSService, defaults: Defaults) -> dict[str, Any]:
    fetch = container(service, defaults, "fetch", ["python", "-m", "ttsworker.fetch", *_arguments(service)])
    if env := environment(service):
        fetch["env"] = env
    asked = service.spec.model.download_resources
    return {
        **pod_spec(service, on_volume=True),
        "restartPolicy": "Never",
        "containers": [
            {
                **fetch,
                "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
                "resources": asked.rendered() if asked is not None else _RESOURCES,
                "volumeMounts": [{"name": "model", "mountPath": MODEL_ROOT}, TMP_MOUNT],
            }
        ],
        "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": claim_of(service)}}, TMP_VOLUME],
    }


def _arguments(service: TTSService) -> list[str]:
    model, storage = service.spec.model, service.storage
    found = ["--source", model.source, "--root", MODEL_ROOT, "--key", names.model_key(model.source, model.sha256)]
    if model.sha256:
        found += ["--sha256", model.sha256]
    if storage.existing_claim_name is None:
        found += ["--max-bytes", str(quantities.whole_bytes(storage.size or DEFAULT_SIZE))]
    return [*found, "--metrics-port", str(METRICS_PORT)]
