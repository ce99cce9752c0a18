"""ConfigMap with worker.json: the settings that a worker reads when it starts.

The ConfigMap is immutable and its name has the hash of its content, and each pod template refers to its own. So a
change of the settings rolls the workers, and a worker of the former template that restarts during the rollout reads its
own settings.
"""

import json
import math
from typing import Any

from ttscontract.pods import CONFIG_FILE
from ttscontract.worker_config import MAX_THREADS, THREADS, WRITTEN, Manager
from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.children.worker.served_model import Serving, worker_deployment
from ttsoperator.kube.manifest import Manifest, has_ended
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities


def build(context: Context) -> Manifest | None:
    """Return the ConfigMap, None until a model is published."""
    service, serving = context.service, context.serving
    if serving is None:
        return None
    content = render(service, serving)
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(service, names.config_map_name(service.name, content), names.Component.WORKER),
            "immutable": True,
            "data": {CONFIG_FILE: content},
        }
    )


def unwanted(config_map: Manifest, context: Context) -> str | None:
    """Return why to delete a former ConfigMap: the rollout is over, and no pod mounts it.

    During a rollout it stays even if no pod mounts it now, because its ReplicaSet may replace a lost worker.
    """
    deployment = worker_deployment(context.service, context.snapshot)
    if context.serving is None or deployment is None or _is_rolling_out(deployment):
        return None
    running = [pod for pod in context.snapshot.pods if not has_ended(pod)]
    name = config_map["metadata"]["name"]
    used = any(_mounts(pod, name) for pod in [*context.snapshot.pod_templates(), *running])
    return None if used else "no worker reads it any more"


def render(service: TTSService, serving: Serving) -> str:
    """Return the text of worker.json."""
    values: dict[str, Any] = {
        "engine": serving.engine.name,
        "model_dir": serving.folder,
        "managed_by": Manager.OPERATOR.value,
        "threads": threads(service),
        # By address the worker would count an application's pod, with all its users, as one client.
        "rate_limit_per_second": 0,
        "max_requests_per_client": 0,
        **service.spec.serving.model_dump(mode="json"),
    }
    return json.dumps({row.name: values[row.name] for row in WRITTEN}, indent=2) + "\n"


def threads(service: TTSService) -> int:
    """Return the threads of a worker: its CPU limit rounded down, 0 (the worker decides) without a limit.

    A single thread more than CPUs makes synthesis several times slower.
    """
    resources = service.spec.resources
    limit = (resources.limits or {}).get("cpu") if resources else None
    if limit is None:
        return THREADS.default
    return min(max(1, math.floor(quantities.value_of(limit))), MAX_THREADS)


def _is_rolling_out(deployment: Manifest) -> bool:
    """Return whether a former ReplicaSet may still have workers, by the same rule as `kubectl rollout status`.

    The former ReplicaSet of a paused Deployment may get workers at any time, even if it has none now.
    """
    if deployment["spec"].get("paused"):
        return True
    status = deployment.get("status") or {}
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return not seen or counts != {deployment["spec"].get("replicas", 1)}


def _mounts(pod: Manifest, config_map: str) -> bool:
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return any((volume.get("configMap") or {}).get("name") == config_map for volume in volumes)
