"""Deployment of the workers."""

from collections.abc import Sequence
from typing import Any, Final

from ttscontract.engines import Engine
from ttscontract.model_folder import MODEL_ROOT
from ttscontract.pods import CONFIG_DIR, CONFIG_FILE, CONFIG_VARIABLE, HEALTH_PATH, HTTP_PORT, METRICS_PORT, READY_PATH
from ttsoperator import names
from ttsoperator.children.context import Context, Defaults
from ttsoperator.children.model.claim import claim_of
from ttsoperator.children.pods import (
    TMP_MOUNT,
    TMP_VOLUME,
    container,
    environment,
    is_pinned,
    pod_spec,
    template_metadata,
)
from ttsoperator.children.worker.configmap import render
from ttsoperator.children.worker.served_model import Serving, gpu_count
from ttsoperator.kube.manifest import Manifest, component_of, has_ended
from ttsoperator.kube.metadata import annotated, digest, metadata, with_applied_hash
from ttsoperator.spec import TTSService

EXIT_SECONDS: Final = 10
"""Time for a worker to exit after its drain, before the kubelet kills it."""
_STARTUP: Final = {"periodSeconds": 2, "failureThreshold": 300}  # a large model may take ten minutes to load


def build(context: Context) -> Manifest | None:
    """Return the Deployment that serves one model, None until a model is published.

    With autoscaling `replicas` is absent: the HorizontalPodAutoscaler sets it.
    """
    service, serving = context.service, context.serving
    if serving is None:
        return None
    gpus = gpu_count(service, serving.engine)
    autoscaled = service.spec.autoscaling is not None
    spec: dict[str, Any] = {
        "selector": {"matchLabels": names.worker_selector(service.name)},
        "strategy": _strategy(gpus, service.gpu_resource, context.snapshot.pods),
        "minReadySeconds": 1,
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 900,  # longer than the longest start
        "template": _template(service, context.defaults, serving, gpus),
    }
    if not autoscaled:
        spec["replicas"] = service.spec.replicas
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(service, names.deployment_name(service.name), names.Component.WORKER),
        "spec": spec,
    }
    own = {
        names.MODEL_KEY: serving.key or "",
        names.ENGINE: serving.engine.name,
        names.SCALED_BY: "autoscaler" if autoscaled else "spec",
    }
    return with_applied_hash(annotated(manifest, own))


def unwanted(_manifest: Manifest, _context: Context) -> str | None:
    """Return None: running workers stay as long as the service exists, also while it waits for a model."""
    return None


def _strategy(gpus: int, gpu_resource: str, pods: Sequence[Manifest]) -> dict[str, Any]:
    """Start the new worker before stopping the old one; with GPUs stop first, because no GPU may be free.

    A worker that holds none of these GPUs makes no room by stopping: it serves until the new one does. So does one that
    is being deleted, because its replacement may not be there yet. One that has ended takes part in no rollout.
    """
    in_place = gpus and all(_holds(pod, gpu_resource) for pod in pods if _is_worker(pod) and not has_ended(pod))
    surge, unavailable = (0, 1) if in_place else (1, 0)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def _is_worker(pod: Manifest) -> bool:
    return component_of(pod) == names.Component.WORKER.value


def _holds(pod: Manifest, resource: str) -> bool:
    limits = (each.get("resources", {}).get("limits") or {} for each in pod["spec"]["containers"])
    return any(resource in limit for limit in limits)


def _template(service: TTSService, defaults: Defaults, serving: Serving, gpus: int) -> dict[str, Any]:
    template = {
        "metadata": template_metadata(service, names.Component.WORKER),
        "spec": _pod(service, defaults, serving, gpus),
    }
    return annotated(template, {names.TEMPLATE_HASH: digest(template)})


def _pod(service: TTSService, defaults: Defaults, serving: Serving, gpus: int) -> dict[str, Any]:
    pod = pod_spec(service, on_volume=serving.on_volume)
    if not (serving.on_volume and is_pinned(service)):
        pod["topologySpreadConstraints"] = [_spread(service)]
    config_map = names.config_map_name(service.name, render(service, serving))
    stop_seconds = service.spec.rollout.shutdown_delay_seconds + service.spec.serving.drain_timeout_seconds
    volumes: list[dict[str, Any]] = [
        {"name": "config", "configMap": {"name": config_map}},
        TMP_VOLUME,
    ]
    if serving.on_volume:
        volumes.append({"name": "model", "persistentVolumeClaim": {"claimName": claim_of(service)}})
    return {
        **pod,
        "terminationGracePeriodSeconds": stop_seconds + EXIT_SECONDS,
        "containers": [_worker(service, defaults, serving, gpus)],
        "volumes": volumes,
    }


def _worker(service: TTSService, defaults: Defaults, serving: Serving, gpus: int) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = [{"name": "config", "mountPath": CONFIG_DIR, "readOnly": True}, TMP_MOUNT]
    if serving.on_volume:
        mounts.append({"name": "model", "mountPath": MODEL_ROOT, "readOnly": True})
    config = {"name": CONFIG_VARIABLE, "value": f"{CONFIG_DIR}/{CONFIG_FILE}"}
    return {
        **container(service, defaults, "worker", ["python", "-m", "ttsworker", "serve"]),
        "env": [config, *environment(service)],
        "ports": [
            {"name": "http", "containerPort": HTTP_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(service, serving.engine, gpus),
        "startupProbe": {**_get(READY_PATH), **_STARTUP, "timeoutSeconds": 3},
        "readinessProbe": {**_get(READY_PATH), "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 2},
        "livenessProbe": {**_get(HEALTH_PATH), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3},
        "volumeMounts": mounts,
        **_lifecycle(service.spec.rollout.shutdown_delay_seconds),
    }


def _lifecycle(delay_seconds: int) -> dict[str, Any]:
    """Keep a stopping worker answering until every node has removed it from the Service."""
    return {"lifecycle": {"preStop": {"sleep": {"seconds": delay_seconds}}}} if delay_seconds else {}


def _get(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}}


def _resources(service: TTSService, engine: Engine, gpus: int) -> dict[str, Any]:
    given = service.spec.resources
    default = {"requests": dict(engine.requests), "limits": dict(engine.limits)}
    resources = given.rendered() if given is not None else default
    if not gpus:
        return resources
    return {**resources, "limits": {**resources.get("limits", {}), service.gpu_resource: str(gpus)}}


def _spread(service: TTSService) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": names.worker_selector(service.name)},
        "matchLabelKeys": ["pod-template-hash"],  # do not count the old workers during a rollout
    }
