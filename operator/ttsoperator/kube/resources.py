"""The kinds of objects that the operator reads or writes, for URL paths, watches and RBAC rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ttsoperator.names import API_VERSION, KIND, PLURAL


@dataclass(frozen=True)
class Resource:
    """One kind of an API; `optional` if a cluster may lack that API (an add-on's CRD)."""

    kind: str
    api_version: str
    plural: str
    optional: bool = False

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


TTS_SERVICE: Final = Resource(KIND, API_VERSION, PLURAL)
POD: Final = Resource("Pod", "v1", "pods")
EVENT: Final = Resource("Event", "v1", "events")
LEASE: Final = Resource("Lease", "coordination.k8s.io/v1", "leases")
STORAGE_CLASS: Final = Resource("StorageClass", "storage.k8s.io/v1", "storageclasses")
CONFIG_MAP: Final = Resource("ConfigMap", "v1", "configmaps")

NOT_CHILDREN: Final = (TTS_SERVICE, POD, EVENT, LEASE, STORAGE_CLASS, CONFIG_MAP)
"""The kinds that the operator uses besides the children of `children.registry`. The ConfigMap is the one in kube-system
with the CA of the API server's proxy."""


def plurals_of(resources: Iterable[Resource]) -> dict[str, str]:
    """Return the plural of each kind."""
    return {resource.kind: resource.plural for resource in resources}
