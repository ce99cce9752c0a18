"""ConfigMap with worker.json: the worker's settings as it reads them at its start."""

import json
import math
from typing import Any, Final

from ttsoperator import names
from ttsoperator.children.worker.served_model import Serving
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash
from ttsoperator.spec import TTSService, quantities

MOST_THREADS: Final = 1024  # the worker takes no more


def build(service: TTSService, serving: Serving) -> Manifest:
    """Return the ConfigMap."""
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(service, names.config_map_name(service.name), names.Component.WORKER),
            "data": {names.CONFIG_KEY: render(service, serving)},
        }
    )


def render(service: TTSService, serving: Serving) -> str:
    """Return the text of worker.json."""
    options = service.spec.serving
    settings: dict[str, Any] = {
        "engine": serving.engine.value,
        "model_dir": f"{names.MODEL_ROOT}/{serving.key}" if serving.key else None,
        "precision": options.precision.value,
        "threads": threads(service),
        "max_concurrency": options.max_concurrency,
        "max_batch_size": options.max_batch_size,
        "max_queue_length": options.max_queue_length,
        "max_queue_audio_seconds": options.max_queue_audio_seconds,
        "max_text_length": options.max_text_length,
        "request_timeout_seconds": options.request_timeout_seconds,
        "drain_timeout_seconds": options.drain_timeout_seconds,
        "text_logging": options.text_logging.value,
        # By address it would count an application's pod, with all its users, as one client: limits are the gateway's.
        "rate_limit_per_second": 0,
    }
    return json.dumps(settings, indent=2) + "\n"


def threads(service: TTSService) -> int:
    """Return the threads of a worker: its CPU limit rounded down, 0 (the worker looks itself) where there is none.

    One thread more than there are CPUs makes synthesis several times slower.
    """
    resources = service.spec.resources
    limit = (resources.limits or {}).get("cpu") if resources else None
    return min(max(1, math.floor(quantities.value_of(limit))), MOST_THREADS) if limit is not None else 0
