"""ConfigMap with worker.json: the worker's settings as it reads them at its start."""

import json
import math
from typing import Any

from ttscontract.model_folder import MODEL_ROOT
from ttscontract.pods import CONFIG_FILE
from ttscontract.worker_config import MAX_THREADS, THREADS, WRITTEN
from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.children.worker.served_model import Serving
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities


def build(context: Context) -> Manifest | None:
    """Return the ConfigMap, None while there is no model to serve."""
    service, serving = context.service, context.serving
    if serving is None:
        return None
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(service, names.config_map_name(service.name), names.Component.WORKER),
            "data": {CONFIG_FILE: render(service, serving)},
        }
    )


def unwanted(_manifest: Manifest, context: Context) -> str | None:
    """Return why it goes; the workers of a model that is not published yet keep it."""
    return None if context.serving is None else "the workers have another configuration"


def render(service: TTSService, serving: Serving) -> str:
    """Return the text of worker.json."""
    values: dict[str, Any] = {
        "engine": serving.engine.name,
        "model_dir": f"{MODEL_ROOT}/{serving.key}" if serving.key else None,
        "threads": threads(service),
        # By address it would count an application's pod, with all its users, as one client: limits are the gateway's.
        "rate_limit_per_second": 0,
        **service.spec.serving.model_dump(mode="json"),
    }
    return json.dumps({row.name: values[row.name] for row in WRITTEN}, indent=2) + "\n"


def threads(service: TTSService) -> int:
    """Return the threads of a worker: its CPU limit rounded down, 0 (the worker looks itself) where there is none.

    One thread more than there are CPUs makes synthesis several times slower.
    """
    resources = service.spec.resources
    limit = (resources.limits or {}).get("cpu") if resources else None
    if limit is None:
        return THREADS.default
    return min(max(1, math.floor(quantities.value_of(limit))), MAX_THREADS)
