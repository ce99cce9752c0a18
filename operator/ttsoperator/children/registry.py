"""One row for each child: its kind, its builder, and when the operator deletes it.

The operator and the tools derive everything else from these rows: the watches and lists, the URL paths, the order of
writing, pruning, drift, the chart's RBAC rules and the table of rights in docs/install.md (both by
`python -m tools.rbac`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ttsoperator.children.context import Context
from ttsoperator.children.model import claim, job
from ttsoperator.children.worker import autoscaler, configmap, deployment, service, serviceaccount
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.resources import NOT_CHILDREN, POD, TTS_SERVICE, Resource, plurals_of
from ttsoperator.names import Component


def no_longer_wanted(_manifest: Manifest, _context: Context) -> str | None:
    """Return why the operator deletes a child that it no longer builds: the rule of most kinds."""
    return "the spec no longer needs it"


@dataclass(frozen=True)
class Child:
    """One kind of child. A child is identified by its kind and its component: several rows may share a kind."""

    resource: Resource
    component: Component
    why: str
    """What the operator needs the kind for, for the table of rights in docs/install.md."""
    build: Callable[[Context], Manifest | None]
    """Returns the manifest, None while the child is not wanted or cannot be built yet."""
    unwanted: Callable[[Manifest, Context], str | None] = no_longer_wanted
    """Called for an existing child that `build` did not return: returns why to delete it, None to keep it."""
    merge_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lists to which other writers may add items, and the fields that identify an item. Other lists are one value."""
    needs: tuple[str, ...] = ()
    """Kinds that this child refers to, or that would interfere with it: the operator does not write the child while the
    API server refuses to create or delete one of them."""
    deleted_first: bool = False
    """Delete the child before writing anything, because it would interfere with the writes."""


POD_TEMPLATE: Final[dict[str, tuple[str, ...]]] = {
    "containers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "protocol"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Lists of a pod template that Kubernetes merges by item."""

CHILDREN: Final[tuple[Child, ...]] = (
    Child(
        Resource("ServiceAccount", "v1", "serviceaccounts"),
        Component.WORKER,
        "an identity without rights",
        serviceaccount.build,
    ),
    Child(
        Resource("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
        Component.MODEL,
        "the model's volume",
        claim.build,
        claim.unwanted,
    ),
    Child(
        Resource("Job", "batch/v1", "jobs"),
        Component.MODEL,
        "the download of a model",
        job.build,
        job.unwanted,
        POD_TEMPLATE,
        needs=("ServiceAccount", "PersistentVolumeClaim"),
    ),
    Child(
        Resource("Service", "v1", "services"),
        Component.WORKER,
        "the address",
        service.build,
        merge_keys={"ports": ("port", "protocol")},
    ),
    Child(
        Resource("ConfigMap", "v1", "configmaps"),
        Component.WORKER,
        "the workers' settings",
        configmap.build,
        configmap.unwanted,
    ),
    Child(
        Resource("Deployment", "apps/v1", "deployments"),
        Component.WORKER,
        "the workers",
        deployment.build,
        deployment.unwanted,
        POD_TEMPLATE,
        needs=("ServiceAccount", "PersistentVolumeClaim", "ConfigMap", "HorizontalPodAutoscaler"),
    ),
    Child(
        Resource("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
        Component.WORKER,
        "the number of workers",
        autoscaler.build,
        autoscaler.unwanted,
        needs=("Deployment",),
        deleted_first=True,  # else it could set the replicas again, after the Deployment got the spec's
    ),
)
"""All children in the order of writing: a child comes after those that it refers to."""


def desired_children(context: Context, rows: Iterable[Child] = CHILDREN) -> list[tuple[Child, Manifest]]:
    """Return the manifests that should exist now, each with its row, in the order of writing."""
    built = ((row, row.build(context)) for row in rows)
    return [(row, manifest) for row, manifest in built if manifest is not None]


def watched(rows: Iterable[Child] = CHILDREN) -> list[Resource]:
    """Return the kinds to watch: all except those whose API may be missing."""
    return [TTS_SERVICE, *unique(row.resource for row in rows if not row.resource.optional), POD]


def optional(rows: Iterable[Child] = CHILDREN) -> list[Resource]:
    """Return the kinds whose API may be missing."""
    return unique(row.resource for row in rows if row.resource.optional)


def plurals(rows: Iterable[Child] = CHILDREN) -> dict[str, str]:
    """Return the plural of every kind that the operator uses."""
    return plurals_of([*NOT_CHILDREN, *(row.resource for row in rows)])


def unique(resources: Iterable[Resource]) -> list[Resource]:
    """Return each resource once, in the order of first occurrence."""
    return list(dict.fromkeys(resources))
