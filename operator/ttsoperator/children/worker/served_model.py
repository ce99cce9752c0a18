"""Which model the workers serve: the spec's once it is there, until then the one they serve already."""

from dataclasses import dataclass

from ttsoperator import names
from ttsoperator.children.model.download import is_published
from ttsoperator.kube.manifest import annotations
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import Engine, TTSService


@dataclass(frozen=True)
class Serving:
    """A model that workers can load: its folder below /models, None for the embedded one, and its engine."""

    key: str | None
    engine: Engine


def serving(service: TTSService, snapshot: Snapshot) -> Serving | None:
    """Return what the workers shall serve now; None while there is nothing yet.

    A new model is downloaded beside the old one: until it is published the Deployment, whose annotations tell which
    model it serves, keeps the old one together with its engine.
    """
    if service.builtin:
        return Serving(None, service.engine)
    if is_published(service, snapshot):
        model = service.spec.model
        return Serving(names.model_key(model.source, model.sha256), service.engine)
    deployment = snapshot.get("Deployment", names.deployment_name(service.name))
    if deployment is None:
        return None
    found = annotations(deployment)
    if names.MODEL_KEY not in found or found.get(names.ENGINE) not in set(Engine):
        return None
    return Serving(found[names.MODEL_KEY] or None, Engine(found[names.ENGINE]))


def gpu_count(service: TTSService, engine: Engine) -> int:
    """Return the GPUs of each worker: as asked for, or what the engine needs."""
    gpu = service.spec.gpu
    if gpu is not None and gpu.count is not None:
        return gpu.count
    return 1 if engine is Engine.COQUI else 0
