"""A TTSService's objects in the cluster now: the input of the plan and of the status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ttsoperator import names
from ttsoperator.kube.manifest import Manifest, component_of, controller_of, is_deleting, labels
from ttsoperator.spec import TTSService


@dataclass(frozen=True)
class Snapshot:
    """The service's own children (see `ownership`) by kind and name, and the pods labelled with the service's name.

    Several components may have children of one kind, so callers need a child's name or its component.
    """

    children: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    pods: Sequence[Manifest] = ()

    def get(self, kind: str, name: str) -> Manifest | None:
        """Return the child, or None if it does not exist."""
        return self.children.get((kind, name))

    def of(self, kind: str) -> list[Manifest]:
        """Return the children of one kind, of every component, sorted by name."""
        return [self.children[identity] for identity in sorted(self.children) if identity[0] == kind]

    def pod_templates(self) -> list[Manifest]:
        """Return the pod templates of all children of every kind; each may start a pod at any time."""
        specs = (child.get("spec") or {} for child in self.children.values())
        return [spec["template"] for spec in specs if "template" in spec]

    def pods_of(self, component: names.Component) -> list[Manifest]:
        """Return the pods of the workers or of the download, without those being deleted."""
        return [pod for pod in self.pods if component_of(pod) == component.value and not is_deleting(pod)]


class Ownership(Enum):
    """The owner of an object that has a child's name."""

    OURS = "ours"
    FORMER = "former"
    """Owned by a deleted TTSService of the same name: garbage collection will delete it."""
    FOREIGN = "foreign"
    """Owned by somebody else: the operator never takes it over."""


def ownership(manifest: Mapping[str, Any], service: TTSService) -> Ownership:
    """Return the owner of `manifest`: by its controller reference, without one by its labels.

    A retained claim has no controller, and neither have the children of a TTSService that was deleted with
    `--cascade=orphan` or restored from a backup: the service of that name adopts them.
    """
    controller = controller_of(manifest)
    if controller is None:
        found = labels(manifest)
        ours = {names.LABEL_MANAGED_BY: names.MANAGER, names.LABEL_SERVICE: service.name}
        return Ownership.OURS if ours.items() <= found.items() else Ownership.FOREIGN
    if controller.get("uid") == service.uid:
        return Ownership.OURS
    same_name = controller.get("kind") == names.KIND and controller.get("name") == service.name
    return Ownership.FORMER if same_name else Ownership.FOREIGN
