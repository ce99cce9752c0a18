"""What the children are built from: one frozen value for every builder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ttsoperator.children.worker.served_model import Serving, serving
from ttsoperator.kube.resources import Resource
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.spec import TTSService


@dataclass(frozen=True)
class Defaults:
    """What the operator's own settings add to a spec: the worker image and its pull policy."""

    worker_image: str
    worker_image_pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class Context:
    """One service, the operator's defaults, and the cluster as it is now."""

    service: TTSService
    defaults: Defaults
    snapshot: Snapshot
    missing: Mapping[Resource, str] = field(default_factory=dict)
    """Optional kinds that the operator cannot use now, and why: none is written, and none is in the snapshot."""

    @cached_property
    def serving(self) -> Serving | None:
        """The model that the workers serve; None while there is none yet."""
        return serving(self.service, self.snapshot)
