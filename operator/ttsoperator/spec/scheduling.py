"""Where pods may run: affinity and tolerations, field by field as Kubernetes has them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ttsoperator.spec.base import ApiModel, Labels, LabelValue, Name

Names = Annotated[list[Name], Field(max_length=16)]
Weight = Annotated[int, Field(ge=1, le=100)]


class NodeOperator(StrEnum):
    """How a node's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class LabelOperator(StrEnum):
    """How an object's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class NodeRequirement(ApiModel):
    """A condition on a node's label or field."""

    key: Name
    """The label or field."""
    operator: NodeOperator
    """How it is compared with the values."""
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = None
    """The values; none for Exists and DoesNotExist, one whole number for Gt and Lt."""


class NodeSelectorTerm(ApiModel):
    """Conditions that a node must meet together."""

    match_expressions: Annotated[list[NodeRequirement], Field(max_length=16)] | None = None
    """Conditions on labels."""
    match_fields: Annotated[list[NodeRequirement], Field(max_length=4)] | None = None
    """Conditions on fields (metadata.name)."""


class NodeSelector(ApiModel):
    """Alternatives of which a node must meet one."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1, max_length=16)]
    """The alternatives."""


class PreferredNode(ApiModel):
    """A node that is liked."""

    weight: Weight
    """How much, from 1 to 100."""
    preference: NodeSelectorTerm
    """Which nodes."""


class NodeAffinity(ApiModel):
    """Nodes by their labels."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Nodes that are allowed."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredNode], Field(max_length=16)] | None
    ) = None
    """Nodes that are liked."""


class LabelRequirement(ApiModel):
    """A condition on a label."""

    key: Name
    """The label."""
    operator: LabelOperator
    """How it is compared with the values."""
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = None
    """The values; none for Exists and DoesNotExist."""


class LabelSelector(ApiModel):
    """Objects by their labels: all conditions must be met."""

    match_labels: Labels | None = None
    """Labels and the values they must have."""
    match_expressions: Annotated[list[LabelRequirement], Field(max_length=16)] | None = None
    """Other conditions on labels."""


class PodAffinityTerm(ApiModel):
    """Pods, and the domain in which to be together with them or apart."""

    topology_key: Name
    """Node label whose value names the domain, such as kubernetes.io/hostname."""
    label_selector: LabelSelector | None = None
    """Which pods."""
    namespaces: Names | None = None
    """Namespaces of the pods; the service's own when absent."""
    namespace_selector: LabelSelector | None = None
    """Namespaces of the pods, by label."""
    match_label_keys: Names | None = None
    """Labels whose value must be the pod's own."""
    mismatch_label_keys: Names | None = None
    """Labels whose value must not be the pod's own."""


class PreferredPods(ApiModel):
    """Pods whose neighbourhood is liked (or, for anti-affinity, disliked)."""

    weight: Weight
    """How much, from 1 to 100."""
    pod_affinity_term: PodAffinityTerm
    """Which pods, and which domain."""


class PodAffinity(ApiModel):
    """Nodes by the pods they run."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[list[PodAffinityTerm], Field(max_length=16)] | None
    ) = None
    """What must be met."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredPods], Field(max_length=16)] | None
    ) = None
    """What is liked."""


class Affinity(ApiModel):
    """Nodes the pods must, should or should not run on."""

    node_affinity: NodeAffinity | None = None
    """By the node's labels."""
    pod_affinity: PodAffinity | None = None
    """Near other pods."""
    pod_anti_affinity: PodAffinity | None = None
    """Away from other pods."""


class TolerationOperator(StrEnum):
    """How a taint is compared."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(ApiModel):
    """A taint of nodes that the pods put up with."""

    key: Name | None = None
    """The taint's key; absent with operator Exists: every taint."""
    operator: TolerationOperator | None = None
    """Exists, or Equal (when absent)."""
    value: LabelValue | None = None
    """The taint's value, for Equal."""
    effect: TaintEffect | None = None
    """The taint's effect; absent: every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """For how many seconds a NoExecute taint is put up with; absent: for ever."""
