"""Where pods may run: affinity and tolerations, with the same fields as in Kubernetes."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ttsoperator.spec.base import ApiModel, Labels, LabelValue, Name

Names = Annotated[list[Name], Field(max_length=16)]
Weight = Annotated[int, Field(ge=1, le=100)]


class NodeOperator(StrEnum):
    """Operator of a condition on a node."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class LabelOperator(StrEnum):
    """Operator of a condition on a label."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class NodeRequirement(ApiModel):
    """A condition on a node's label or field."""

    key: Name
    """The label or field."""
    operator: NodeOperator
    """Operator that compares it with the values."""
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = None
    """The values; none for Exists and DoesNotExist, one whole number for Gt and Lt."""


class NodeSelectorTerm(ApiModel):
    """Conditions; a node must meet all of them."""

    match_expressions: Annotated[list[NodeRequirement], Field(max_length=16)] | None = None
    """Conditions on labels."""
    match_fields: Annotated[list[NodeRequirement], Field(max_length=4)] | None = None
    """Conditions on fields (metadata.name)."""


class NodeSelector(ApiModel):
    """Alternatives; a node must meet one of them."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1, max_length=16)]
    """The alternatives."""


class PreferredNode(ApiModel):
    """A preference for some nodes, with its weight."""

    weight: Weight
    """Weight of the preference, from 1 to 100."""
    preference: NodeSelectorTerm
    """The preferred nodes."""


class NodeAffinity(ApiModel):
    """Node affinity: nodes that the pods require or prefer, by their labels."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Nodes on which the pods may run."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredNode], Field(max_length=16)] | None
    ) = None
    """Preferred nodes."""


class LabelRequirement(ApiModel):
    """A condition on a label."""

    key: Name
    """The label."""
    operator: LabelOperator
    """Operator that compares it with the values."""
    values: Annotated[list[LabelValue], Field(max_length=64)] | None = None
    """The values; none for Exists and DoesNotExist."""


class LabelSelector(ApiModel):
    """Selects the objects whose labels meet all conditions."""

    match_labels: Labels | None = None
    """Labels and the values they must have."""
    match_expressions: Annotated[list[LabelRequirement], Field(max_length=16)] | None = None
    """Other conditions on labels."""


class PodAffinityTerm(ApiModel):
    """Selects pods, and the topology domain that counts as near them."""

    topology_key: Name
    """Node label whose value names the topology domain, such as kubernetes.io/hostname."""
    label_selector: LabelSelector | None = None
    """Selects pods by their labels."""
    namespaces: Names | None = None
    """Namespaces of the pods; the service's own when absent."""
    namespace_selector: LabelSelector | None = None
    """Selects the namespaces of the pods by their labels."""
    match_label_keys: Names | None = None
    """Keys of labels that must have the same value as on the pod itself."""
    mismatch_label_keys: Names | None = None
    """Keys of labels that must have another value than on the pod itself."""


class PreferredPods(ApiModel):
    """A preference for running near some pods (or, for anti-affinity, away from them), with its weight."""

    weight: Weight
    """Weight of the preference, from 1 to 100."""
    pod_affinity_term: PodAffinityTerm
    """The pods and the topology domain."""


class PodAffinity(ApiModel):
    """Pod affinity: nodes that the pods require or prefer, by the pods that run there."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[list[PodAffinityTerm], Field(max_length=16)] | None
    ) = None
    """Rules that a node must meet."""
    preferred_during_scheduling_ignored_during_execution: (
        Annotated[list[PreferredPods], Field(max_length=16)] | None
    ) = None
    """Preferred rules."""


class Affinity(ApiModel):
    """Rules for the nodes on which the pods must, should or should not run."""

    node_affinity: NodeAffinity | None = None
    """Rules on the labels of nodes."""
    pod_affinity: PodAffinity | None = None
    """Rules for running near other pods."""
    pod_anti_affinity: PodAffinity | None = None
    """Rules for running away from other pods."""


class TolerationOperator(StrEnum):
    """Operator of a toleration."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """Effect of a taint."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(ApiModel):
    """A tolerated taint: the pods may run on nodes that have it."""

    key: Name | None = None
    """Key of the taint; absent, with operator Exists, it matches every taint."""
    operator: TolerationOperator | None = None
    """Exists, or Equal (when absent)."""
    value: LabelValue | None = None
    """Value of the taint, for Equal."""
    effect: TaintEffect | None = None
    """Effect of the taint; absent, it matches every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Seconds for which the pods tolerate a NoExecute taint; absent, they tolerate it without limit."""
