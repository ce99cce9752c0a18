"""What the chart's objects may do: as little as the operator needs, and what docs/install.md says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.contract.chart import (
    NAMESPACE,
    ROOT,
    VALUE_SETS,
    Values,
    environment,
    of_kind,
    one,
    pod_spec,
    render,
)
from ttsoperator.kube.manifest import Manifest

Rule = tuple[str, str, str]
"""API group, resource, verb."""

HARMLESS = {"get", "list", "watch", "create", "update", "patch", "delete"}


@pytest.fixture(params=list(VALUE_SETS.values()), ids=list(VALUE_SETS))
def values(request: pytest.FixtureRequest) -> Values:
    chosen: Values = request.param
    return chosen


def rules(role: Manifest) -> Iterator[Rule]:
    for rule in role["rules"]:
        assert not rule.keys() - {"apiGroups", "resources", "resourceNames", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb


def roles_of(manifests: list[Manifest], subject: tuple[str, str]) -> list[tuple[str | None, Manifest]]:
    """The roles bound to a ServiceAccount (namespace, name), each with where it holds; None is everywhere."""
    roles = {
        (r["kind"], r["metadata"].get("namespace"), r["metadata"]["name"]): r
        for k in ("Role", "ClusterRole")
        for r in of_kind(manifests, k)
    }
    found = []
    for binding in of_kind(manifests, "ClusterRoleBinding") + of_kind(manifests, "RoleBinding"):
        home = binding["metadata"].get("namespace")
        if any((s["namespace"], s["name"]) == subject for s in binding["subjects"]):
            reference = binding["roleRef"]
            if home != "kube-system":
                found.append((home, roles[reference["kind"], home, reference["name"]]))
    return found


OPERATOR = (NAMESPACE, "tts-operator")
AUTOSCALER = ("kube-system", "horizontal-pod-autoscaler")


def test_no_wildcard_no_secrets_nothing_that_grants_more(values: Values) -> None:
    manifests = render(values)
    roles = of_kind(manifests, "ClusterRole") + of_kind(manifests, "Role")
    assert roles
    for role in roles:
        for group, resource, verb in rules(role):
            assert "*" not in group + resource + verb
            assert not resource.startswith("secrets")
            assert resource not in {"pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token", "nodes"}
            assert group not in {"rbac.authorization.k8s.io", "admissionregistration.k8s.io", "certificates.k8s.io"}
            if "aggregate-to-edit" not in str(role["metadata"]["labels"]):
                assert verb in HARMLESS


def test_cluster_wide_by_default() -> None:
    scopes = [home for home, _ in roles_of(render(), OPERATOR)]
    assert scopes == [None, NAMESPACE]


def test_named_namespaces_get_roles_and_nothing_cluster_wide() -> None:
    manifests = render({"watchNamespaces": ["voices", "more"]})
    assert {home for home, _ in roles_of(manifests, OPERATOR)} == {"voices", "more", NAMESPACE}
    assert {home for home, _ in roles_of(manifests, AUTOSCALER)} == {"voices", "more"}
    assert not of_kind(manifests, "ClusterRoleBinding")
    wide = {rule for home, role in roles_of(render(), OPERATOR) if home is None for rule in rules(role)}
    named = {rule for home, role in roles_of(manifests, OPERATOR) if home == "voices" for rule in rules(role)}
    assert wide - named == {("storage.k8s.io", "storageclasses", "list")}
    assert named <= wide


def test_the_lease_is_the_only_one_it_may_write() -> None:
    manifests = render()
    (leader,) = [role for home, role in roles_of(manifests, OPERATOR) if home == NAMESPACE]
    name = one(manifests, "Lease")["metadata"]["name"]
    assert environment(manifests)["TTS_OPERATOR_LEASE_NAME"] == name
    for rule in leader["rules"]:
        assert rule["resources"] == ["leases"]
        assert rule["verbs"] == ["create"] or rule["resourceNames"] == [name]


def test_the_autoscaler_reads_our_metrics_and_no_other() -> None:
    ((home, role),) = roles_of(render(), AUTOSCALER)
    assert home is None
    assert set(rules(role)) == {
        ("custom.metrics.k8s.io", "ttsservices.tts-operator.io/tts_queue_depth", "get"),
        ("custom.metrics.k8s.io", "pods/tts_gpu_utilization_ratio", "get"),
    }


def test_the_client_ca_is_read_through_the_clusters_own_role() -> None:
    (binding,) = [b for b in of_kind(render(), "RoleBinding") if b["metadata"]["namespace"] == "kube-system"]
    assert binding["roleRef"]["name"] == "extension-apiserver-authentication-reader"
    assert [(s["namespace"], s["name"]) for s in binding["subjects"]] == [OPERATOR]


def test_viewers_look_and_editors_edit() -> None:
    roles = {r["metadata"]["name"]: r for r in of_kind(render(), "ClusterRole")}
    view, edit = roles["tts-operator-view"], roles["tts-operator-edit"]
    assert {verb for _, _, verb in rules(view)} == {"get", "list", "watch"}
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in edit["metadata"]["labels"]
    for role in (view, edit):
        assert role["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-admin"] == "true"
    assert ("tts-operator.io", "ttsservices/status", "patch") not in set(rules(edit)), "status is the operator's"
    assert not [
        r
        for r in of_kind(render({"rbac": {"aggregateRoles": False}}), "ClusterRole")
        if "view" in r["metadata"]["name"]
    ]


def test_rbac_can_be_left_to_others() -> None:
    manifests = render({"rbac": {"create": False}})
    assert not {m["kind"] for m in manifests} & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}


def test_the_installation_guide_lists_every_right() -> None:
    """docs/install.md has a table; a right that is not in it, or no longer given, fails here."""
    table = re.findall(
        r"(?m)^\| `([^`]*)` \| `([^`]+)` \| ([a-z, ]+) \| \S.*\|$", (ROOT / "docs/install.md").read_text()
    )
    told = {
        ("" if group == "core" else group, resource, verb)
        for group, resources, verbs in table
        for resource in resources.split(", ")
        for verb in verbs.split(", ")
    }
    given = {rule for _, role in roles_of(render(), OPERATOR) for rule in rules(role)}
    assert told == given


def test_every_container_is_restricted(values: Values) -> None:
    """The PodSecurity standard `restricted`, and a read-only root besides."""
    spec = pod_spec(render(values))
    pod: dict[str, Any] = spec["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all(volume.keys() - {"name"} <= {"emptyDir", "secret"} for volume in spec["volumes"])
    containers = spec["containers"] + spec.get("initContainers", [])
    for container in containers:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in context
        assert {"startupProbe", "livenessProbe", "readinessProbe", "resources"} <= container.keys()
        assert all("hostPort" not in port for port in container["ports"])
        writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
        assert writable == ["/tmp"]
