"""The input of the builders: one frozen value for all children."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ttsoperator.children.worker.served_model import Serving, serving
from ttsoperator.kube.resources import Resource
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService


@dataclass(frozen=True)
class Defaults:
    """The operator's settings that are the defaults of a spec: the worker image and its pull policy."""

    worker_image: str
    worker_image_pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class Context:
    """One service, the operator's defaults, and the cluster as it is now."""

    service: TTSService
    defaults: Defaults
    snapshot: Snapshot
    missing: Mapping[Resource, str] = field(default_factory=dict)
    """Optional kinds that the operator cannot use now, and why. It does not write them, and the snapshot has none."""

    @cached_property
    def serving(self) -> Serving | None:
        """The model that the workers serve; None until a model is published."""
        return serving(self.service, self.snapshot)
