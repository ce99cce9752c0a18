"""The children of a TTSService: one pure builder module per kind."""

from dataclasses import dataclass

from ..live import Live, Manifest
from ..spec import TTSService


@dataclass(frozen=True)
class Defaults:
    """What the operator's own settings add to a spec: the worker image and its pull policy."""

    worker_image: str
    worker_image_pull_policy: str = "IfNotPresent"


def desired_children(service: TTSService, defaults: Defaults, live: Live) -> list[Manifest]:
    """Return the manifests that should exist now, in the order in which they are to be written."""
    raise NotImplementedError
