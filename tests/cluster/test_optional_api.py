"""A child of an add-on's API, on a real cluster: the API comes and goes while the operator runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster.installed import NAMESPACE, RELEASE, Operator
from tests.support.cluster.kubectl import Kubectl, Object
from tests.support.cluster.process import OperatorProcess
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually
from tests.support.operator.gadget import GADGETS

pytestmark = pytest.mark.alone

GROUP, VERSION = GADGETS.split("/")
CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"gadgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget"},
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
RULE = {"apiGroups": [GROUP], "resources": ["gadgets"], "verbs": ["*"]}


@pytest.fixture
def elsewhere(operator: Operator, kubectl: Kubectl) -> Iterator[None]:
    """The installed operator stopped, and no add-on left behind."""
    operator.kubectl("scale", f"deployment/{RELEASE}", "--replicas=0")
    operator.until_running(0)
    try:
        yield
        kubectl("delete", "crd", f"gadgets.{GROUP}", "--ignore-not-found")
    finally:
        operator.scale(1)


def allow_gadgets(tenant: Tenant) -> None:
    """What the row adds to the chart's rules."""
    common = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "gadgets"}}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "gadgets"}
    subject = {"kind": "ServiceAccount", "name": RELEASE, "namespace": NAMESPACE}
    tenant.apply(
        {**common, "kind": "Role", "rules": [RULE]},
        {**common, "kind": "RoleBinding", "roleRef": role, "subjects": [subject]},
    )


def size_of_gadget(tenant: Tenant) -> int:
    size: int = tenant.get(f"gadgets.{GROUP}", "english")["spec"]["size"]
    return size


@pytest.mark.usefixtures("elsewhere")
def test_an_api_that_comes_and_goes(tenant: Tenant, worker_image: str, tmp_path: Path) -> None:
    allow_gadgets(tenant)
    operator = OperatorProcess(tenant, tmp_path, worker_image, program="tests.support.operator.gadget")
    with operator.running(kill_after=None):
        tenant.serve("english", replicas=2)
        told = tenant.until_condition("english", "AddOnsInstalled", "False", "ApiNotInstalled")
        assert "Gadget english" in told
        tenant.until_ready("english")

        tenant.apply(CRD)
        eventually(lambda: size_of_gadget(tenant) == 1)
        eventually(lambda: not tenant.condition("english", "AddOnsInstalled"))

        tenant.patch(f"gadgets.{GROUP}", "english", {"spec": {"size": 9}})
        eventually(lambda: size_of_gadget(tenant) == 1)
        tenant.delete(f"gadgets.{GROUP}", "english")
        eventually(lambda: size_of_gadget(tenant) == 1)

        tenant("delete", "crd", f"gadgets.{GROUP}")
        tenant.until_condition("english", "AddOnsInstalled", "False", "ApiNotInstalled")
        tenant.serve("english", replicas=3)
        eventually(lambda: tenant.get("deployment", "english")["spec"]["replicas"] == 3)

        tenant.apply(CRD)
        eventually(lambda: size_of_gadget(tenant) == 1)
        tenant.serve("english", replicas=1)
        eventually(lambda: not tenant.list(f"gadgets.{GROUP}", ""))
        tenant.until_ready("english")
        assert operator.stop() == 0
        assert operator.starts == 1
