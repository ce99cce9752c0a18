"""The fields of the pods and of their image."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from ttscontract.pods import VARIABLE_PREFIX
from ttsoperator.spec.base import Annotations, ApiModel, Labels, Name, Quantities, map_list, rule, rules
from ttsoperator.spec.scheduling import Affinity, Toleration


class Resources(ApiModel):
    """Compute resources of the worker container."""

    requests: Quantities | None = None
    """Resources that the scheduler reserves for each worker, such as {cpu: 250m, memory: 512Mi}."""
    limits: Quantities | None = None
    """The most resources that each worker may use. The CPU limit also sets its number of threads (rounded down, at
    least one)."""


class KeyReference(ApiModel):
    """A key of a Secret or ConfigMap in the service's namespace."""

    name: Name
    """Name of the Secret or ConfigMap."""
    key: Name
    """Key of the value."""
    optional: bool | None = None
    """If true, the container starts without the variable when the object or the key is missing."""


class FieldReference(ApiModel):
    """A field of the pod."""

    field_path: Name
    """Path of the field, such as status.podIP or metadata.name."""


class EnvSource(ApiModel):
    """Source of a variable's value."""

    model_config = rules(
        rule(
            "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef)].filter(x, x).size() == 1",
            "set exactly one of secretKeyRef, configMapKeyRef and fieldRef",
        )
    )

    secret_key_ref: KeyReference | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyReference | None = None
    """A key of a ConfigMap."""
    field_ref: FieldReference | None = None
    """A field of the pod itself."""


class EnvVar(ApiModel):
    """An environment variable."""

    model_config = rules(
        rule("!has(self.value) || !has(self.valueFrom)", "set either value or valueFrom, not both"),
        rule(
            f"!self.name.startsWith('{VARIABLE_PREFIX}')",
            f"variables named {VARIABLE_PREFIX}… are reserved for the operator: use the fields of spec.serving",
            field=".name",
        ),
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")]
    """Name of the variable."""
    value: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """Value of the variable."""
    value_from: EnvSource | None = None
    """Source of the value, instead of value."""


_OF_CONTROLLERS = "k in ['controller-uid', 'job-name', 'pod-template-hash'] || k.startsWith('batch.kubernetes.io/')"
_RESERVED = "!k.startsWith('tts-operator.io/')"


class PodTemplate(ApiModel):
    """Additions to the pods of the workers and of the download Job."""

    model_config = rules(
        rule(
            f"!has(self.labels) || self.labels.all(k, {_RESERVED} && !k.startsWith('app.kubernetes.io/'))",
            "labels app.kubernetes.io/… and tts-operator.io/… are reserved for the operator: choose another name",
            field=".labels",
        ),
        rule(
            f"!has(self.labels) || !self.labels.exists(k, {_OF_CONTROLLERS})",
            "Kubernetes sets the labels controller-uid, job-name, pod-template-hash and batch.kubernetes.io/… itself: "
            "choose another name",
            field=".labels",
        ),
        rule(
            f"!has(self.annotations) || self.annotations.all(k, {_RESERVED})",
            "annotations tts-operator.io/… are reserved for the operator: choose another name",
            field=".annotations",
        ),
    )

    labels: Labels | None = None
    """Labels to add."""
    annotations: Annotations | None = None
    """Annotations to add."""
    node_selector: Labels | None = None
    """Labels that a node must have to run the pods."""
    tolerations: Annotated[list[Toleration], Field(max_length=32)] | None = None
    """Tolerated taints: the pods may run on nodes that have them."""
    affinity: Affinity | None = None
    """Rules for the nodes on which the pods must, should or should not run."""
    priority_class_name: Name | None = None
    """PriorityClass of the pods."""
    runtime_class_name: Name | None = None
    """RuntimeClass of the pods, such as nvidia."""
    env: Annotated[list[EnvVar], Field(max_length=64, json_schema_extra=map_list("name"))] | None = None
    """Environment variables, such as HTTPS_PROXY for the download."""


class PullPolicy(StrEnum):
    """When the kubelet pulls the image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class PullSecret(ApiModel):
    """A Secret with a registry's credentials."""

    name: Name
    """Name of the Secret, of type kubernetes.io/dockerconfigjson, in the service's namespace."""


class Image(ApiModel):
    """The worker image; the operator's settings are the defaults of absent fields."""

    model_config = rules(
        rule("!has(self.tag) || !has(self.digest)", "set either tag or digest, not both", field=".digest")
    )

    repository: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s@]*[^\s@:]$")] | None = (
        None
    )
    """Registry and name, such as registry.example.com/tts-worker."""
    tag: Annotated[str, StringConstraints(max_length=128, pattern=r"^[\w][\w.-]*$")] | None = None
    """Tag of the image."""
    digest: Annotated[str, StringConstraints(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """Digest of the image, sha256:…, instead of a tag: it names one image for ever."""
    pull_policy: PullPolicy | None = None
    """When the kubelet pulls the image."""
    pull_secrets: Annotated[list[PullSecret], Field(max_length=16, json_schema_extra=map_list("name"))] | None = None
    """Secrets with the credentials of the image's registry."""
