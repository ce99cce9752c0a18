"""Which model the workers serve: the spec's once it is published, until then the one they already serve."""

from dataclasses import dataclass

from ttscontract.engines import Engine, find
from ttsoperator import names
from ttsoperator.children.model.download import is_published
from ttsoperator.kube.manifest import Manifest, annotations
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService


@dataclass(frozen=True)
class Serving:
    """A model that workers can load: its folder below /models (None for the built-in one) and its engine."""

    key: str | None
    engine: Engine


def serving(service: TTSService, snapshot: Snapshot) -> Serving | None:
    """Return the model that the workers should serve; None until a model is published.

    The Job downloads a new model next to the old one. Until the new one is published, the Deployment keeps the old
    model and its engine, which its annotations name.
    """
    if service.builtin:
        return Serving(None, service.engine)
    if is_published(service, snapshot):
        model = service.spec.model
        return Serving(names.model_key(model.source, model.sha256), service.engine)
    deployment = worker_deployment(service, snapshot)
    if deployment is None:
        return None
    served = annotations(deployment)
    engine = find(served.get(names.ENGINE, ""))
    if engine is None or names.MODEL_KEY not in served:
        return None
    return Serving(served[names.MODEL_KEY] or None, engine)


def worker_deployment(service: TTSService, snapshot: Snapshot) -> Manifest | None:
    """Return the Deployment of the workers, if it exists."""
    return snapshot.get("Deployment", names.deployment_name(service.name))


def gpu_count(service: TTSService, engine: Engine) -> int:
    """Return the GPUs of each worker: the spec's, else the engine's default."""
    gpu = service.spec.gpu
    if gpu is not None and gpu.count is not None:
        return gpu.count
    return engine.gpus
