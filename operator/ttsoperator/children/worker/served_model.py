"""Which model the workers serve: the spec's once it is published, until then the one they already serve."""

from dataclasses import dataclass

from ttscontract.engines import Engine, find
from ttscontract.model_folder import BUILTIN, IMAGE_MODELS, MODEL_ROOT
from ttsoperator import names
from ttsoperator.children.model.download import is_published
from ttsoperator.kube.manifest import Manifest, annotations
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService


@dataclass(frozen=True)
class Serving:
    """A model that workers can load, and its engine.

    `key` is its folder on the volume, its source for one that the image was built with, None for the engine's own.
    """

    key: str | None
    engine: Engine

    @property
    def on_volume(self) -> bool:
        """Whether the workers need the volume."""
        return self.key is not None and not self.key.startswith(BUILTIN)

    @property
    def folder(self) -> str | None:
        """The model's folder in a worker's container, None for the engine's own model."""
        if self.key is None:
            return None
        return f"{MODEL_ROOT}/{self.key}" if self.on_volume else f"{IMAGE_MODELS}/{self.key.removeprefix(BUILTIN)}"


def serving(service: TTSService, snapshot: Snapshot) -> Serving | None:
    """Return the model that the workers should serve; None until a model is published.

    The Job downloads a new model next to the old one. Until the new one is published, the Deployment keeps the old
    model and its engine, which its annotations name.
    """
    if service.builtin or is_published(service, snapshot):
        return Serving(key_of(service), service.engine)
    deployment = worker_deployment(service, snapshot)
    if deployment is None:
        return None
    served = annotations(deployment)
    engine = find(served.get(names.ENGINE, ""))
    if engine is None or names.MODEL_KEY not in served:
        return None
    return Serving(served[names.MODEL_KEY] or None, engine)


def key_of(service: TTSService) -> str | None:
    """Return the `Serving.key` of the spec's model."""
    model = service.spec.model
    if service.builtin:
        return None if model.source == service.engine.builtin else model.source
    return names.model_key(model.source, model.sha256)


def worker_deployment(service: TTSService, snapshot: Snapshot) -> Manifest | None:
    """Return the Deployment of the workers, if it exists."""
    return snapshot.get("Deployment", names.deployment_name(service.name))


def gpu_count(service: TTSService, engine: Engine) -> int:
    """Return the GPUs of each worker: the spec's, else the engine's default."""
    gpu = service.spec.gpu
    if gpu is not None and gpu.count is not None:
        return gpu.count
    return engine.gpus
