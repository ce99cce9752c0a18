"""The chart on a real cluster: installed, upgraded, installed twice, uninstalled, and what it lets whom do."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.cluster import setup
from tests.support.cluster.client import Client
from tests.support.cluster.installed import NAMESPACE, RELEASE, USER, Operator
from tests.support.cluster.kubectl import Kubectl, KubectlError, Object
from tests.support.cluster.manifests import tts_service
from tests.support.cluster.setup import CHART
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually
from tests.support.contract.chart import VALUE_SETS, render

pytestmark = pytest.mark.alone

CRD = "ttsservices.tts-operator.io"
API = "v1beta2.custom.metrics.k8s.io"
AUTOSCALER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
NOWHERE = json.dumps({"tests.tts-operator.io/no-such": "node"})


def helm(kubectl: Kubectl, *arguments: str | Path) -> str:
    """What helm prints about this cluster."""
    where = [f"--kubeconfig={kubectl.kubeconfig}", f"--namespace={kubectl.namespace}"]
    done = subprocess.run([setup.tool("helm"), *arguments, *where], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def upgrade(operator: Operator, *options: str | Path, chart: Path = CHART) -> str:
    """Upgrade the release under test, its values kept."""
    return helm(
        operator.kubectl, "upgrade", RELEASE, chart, "--reset-then-reuse-values", "--wait", "--timeout=3m", *options
    )


def may(kubectl: Kubectl, user: str, verb: str, resource: str) -> bool:
    """Whether a user may do this in kubectl's namespace; the API server decides."""
    resource, _, part = resource.partition("/")
    try:
        return kubectl("auth", "can-i", verb, resource, f"--subresource={part}", f"--as={user}").strip() == "yes"
    except KubectlError:  # kubectl's way of saying no
        return False


def everything_labelled(kubectl: Kubectl, release: str) -> list[str]:
    """kind/name of every object in the cluster that carries the release's label."""
    kinds = kubectl("api-resources", "--verbs=list", "--output=name").split()
    readable = ",".join(kind for kind in kinds if not kind.endswith("custom.metrics.k8s.io"))
    found = kubectl(
        "get", readable, "--all-namespaces", f"--selector=app.kubernetes.io/instance={release}", "-o", "name"
    )
    return sorted(line for line in found.split() if "endpoint" not in line)


def uids(objects: list[Object]) -> set[str]:
    return {each["metadata"]["uid"] for each in objects}


def refusal(tenant: Tenant, spec: Object) -> str:
    """The API server's words about a spec, empty when it takes it; a new schema counts a moment after it is written."""
    try:
        tenant("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(tts_service("asked", **spec)))
    except KubectlError as error:
        return str(error)
    return ""


def outlive_renewal(kubectl: Kubectl, secret: Object) -> None:
    """Make Helm's own Secret one that it wrote nine years ago."""
    kept = {name: secret["metadata"][name] for name in ("name", "namespace", "labels")}
    annotations = secret["metadata"]["annotations"] | {"tts-operator.io/renew-after": "1"}
    old = {**secret, "metadata": {**kept, "annotations": annotations}}
    kubectl("delete", "secret", kept["name"])
    kubectl("apply", "--server-side", "--field-manager=helm", "-f", "-", stdin=json.dumps(old))


@pytest.fixture
def put_back(operator: Operator) -> Iterator[None]:
    """The release as the other stories know it, whatever the story did to it."""
    yield
    setup.install(operator.kubectl.within("default"))
    operator.until_running(1)


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=list(VALUE_SETS))
def test_the_api_server_accepts_every_set_of_values(values: Object, shared: Tenant) -> None:
    if "watchNamespaces" in values:
        values = {**values, "watchNamespaces": [shared.namespace]}
    manifests = render(values, "other")
    for manifest in manifests:
        if manifest["metadata"].get("namespace") == NAMESPACE:
            manifest["metadata"]["namespace"] = shared.namespace
    bundle = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    told = shared.within("")("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict",
                             "-o", "name", "-f", "-", stdin=bundle)  # fmt: skip
    assert len(told.split()) == len(manifests)


def test_the_metrics_api_answers_who_may_read_it(shared: Tenant) -> None:
    def available() -> bool:
        conditions = shared.get("apiservice", API)["status"]["conditions"]
        assert all(each["status"] == "True" for each in conditions if each["type"] == "Available"), conditions
        return bool(conditions)

    eventually(available, within=60)
    shared.serve("metered")
    shared.until_ready("metered")
    within = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{shared.namespace}"
    queue = f"{within}/ttsservices.tts-operator.io/metered/tts_queue_depth"
    (item,) = json.loads(shared("get", "--raw", queue, f"--as={AUTOSCALER}"))["items"]
    assert item["describedObject"]["name"] == "metered"
    assert item["value"] == "0"
    with pytest.raises(KubectlError, match="orbidden"):
        shared("get", "--raw", queue, f"--as={USER}")
    # Kubernetes lets its own autoscaler read all metrics; whether our role names the right ones, another holder tells.
    shared("create", "serviceaccount", "reader")
    shared("create", "rolebinding", "reader", f"--clusterrole={RELEASE}-metrics",
           f"--serviceaccount={shared.namespace}:reader")  # fmt: skip
    reader = f"system:serviceaccount:{shared.namespace}:reader"
    eventually(lambda: shared("get", "--raw", queue, f"--as={reader}"), within=30)
    with pytest.raises(KubectlError, match="orbidden"):
        shared("get", "--raw", queue.replace("tts_queue_depth", "tts_requests_in_flight"), f"--as={reader}")
    shared.delete("tts", "metered")


def test_the_operator_may_do_its_work_and_nothing_more(shared: Tenant) -> None:
    kubectl = shared.within(shared.namespace)
    for verb, resource in [
        ("watch", "ttsservices"),
        ("patch", "ttsservices/status"),
        ("create", "deployments.apps"),
        ("patch", "services"),
        ("delete", "jobs.batch"),
        ("list", "pods"),
        ("create", "events"),
    ]:
        assert may(kubectl, USER, verb, resource), f"{verb} {resource}"
    for verb, resource in [
        ("get", "secrets"),
        ("list", "secrets"),
        ("patch", "ttsservices"),
        ("delete", "ttsservices"),
        ("create", "pods"),
        ("create", "pods/exec"),
        ("deletecollection", "deployments.apps"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("create", "serviceaccounts/token"),
        ("get", "leases.coordination.k8s.io"),
        ("patch", "customresourcedefinitions.apiextensions.k8s.io"),
        ("get", "nodes"),
    ]:
        assert not may(kubectl, USER, verb, resource), f"{verb} {resource}"


def test_view_and_edit_extend_to_tts_services(shared: Tenant) -> None:
    for role in ("view", "edit"):
        shared("create", "serviceaccount", role)
        shared("create", "rolebinding", role, f"--clusterrole={role}", f"--serviceaccount={shared.namespace}:{role}")
    viewer, editor = (f"system:serviceaccount:{shared.namespace}:{role}" for role in ("view", "edit"))
    kubectl = shared.within(shared.namespace)
    eventually(lambda: may(kubectl, editor, "create", "ttsservices") and may(kubectl, viewer, "list", "ttsservices"))
    assert may(kubectl, editor, "patch", "ttsservices/scale")
    assert not may(kubectl, editor, "patch", "ttsservices/status")
    assert not may(kubectl, viewer, "delete", "ttsservices")


def test_an_upgrade_without_a_change_keeps_certificate_and_pods(operator: Operator) -> None:
    secret = f"{RELEASE}-tls"
    before = operator.kubectl.get("secret", secret)["data"], uids(operator.pods())
    upgrade(operator)
    assert (operator.kubectl.get("secret", secret)["data"], uids(operator.pods())) == before


@pytest.mark.usefixtures("put_back")
def test_a_certificate_past_its_renewal_is_replaced_and_the_pods_roll(operator: Operator) -> None:
    secret = operator.kubectl.get("secret", f"{RELEASE}-tls")
    pods = uids(operator.pods())
    outlive_renewal(operator.kubectl, secret)
    upgrade(operator)
    after = operator.kubectl.get("secret", f"{RELEASE}-tls")
    assert after["data"]["tls.crt"] != secret["data"]["tls.crt"]
    assert int(after["metadata"]["annotations"]["tts-operator.io/renew-after"]) > time.time()
    assert operator.kubectl.get("apiservice", API)["spec"]["caBundle"] == after["data"]["ca.crt"]
    operator.until_running(1)
    assert not uids(operator.pods()) & pods
    eventually(
        lambda: "True" in operator.kubectl("get", "apiservice", API, "-o", "jsonpath={.status.conditions[*].status}")
    )


@pytest.mark.usefixtures("put_back")
def test_an_upgrade_brings_the_new_fields_of_the_crd(operator: Operator, tenant: Tenant, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(CHART, older)
    (file,) = (older / "files").glob("*.yaml")
    crd = yaml.safe_load(file.read_text())
    del crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["podTemplate"]
    file.write_text(yaml.safe_dump(crd))
    labelled = {"podTemplate": {"labels": {"team": "voice"}}}

    upgrade(operator, chart=older)
    eventually(lambda: "podTemplate" in refusal(tenant, labelled), within=30)
    tenant.serve("grown")
    tenant.until_ready("grown")

    upgrade(operator)
    eventually(lambda: not refusal(tenant, labelled), within=30)
    tenant.serve("grown", **labelled)
    eventually(lambda: [pod["metadata"]["labels"].get("team") for pod in tenant.workers("grown")] == ["voice"])
    tenant.until_ready("grown")


@pytest.mark.usefixtures("put_back")
def test_a_second_installation_takes_nothing_from_the_first(operator: Operator, tenant: Tenant) -> None:
    """Namespaced, in a namespace of its own, and on no node: two operators at work would undo each other."""
    second = tenant.within(tenant.namespace)
    owner = tenant.get("apiservice", API)
    values = ["crds.install=false", "rbac.aggregateRoles=false", f"watchNamespaces[0]={tenant.namespace}"]
    sets = [f"--set={value}" for value in values]
    told = helm(second, "install", "second", CHART, *sets, f"--set-json=nodeSelector={NOWHERE}")
    assert "another server in this cluster already serves it" in told
    assert tenant.get("apiservice", API)["metadata"]["uid"] == owner["metadata"]["uid"]
    assert tenant.get("apiservice", API)["spec"] == owner["spec"]

    user = f"system:serviceaccount:{tenant.namespace}:second-tts-operator"
    eventually(lambda: may(second, user, "create", "deployments.apps"))
    for verb, resource in [("create", "deployments.apps"), ("get", "ttsservices"), ("list", "pods")]:
        assert not may(operator.kubectl, user, verb, resource), "it has no right in another namespace"
    assert not may(second, user, "get", "secrets")

    helm(second, "uninstall", "second", "--wait")
    eventually(lambda: not everything_labelled(tenant, "second"))
    assert tenant.get("apiservice", API)["metadata"]["uid"] == owner["metadata"]["uid"]


@pytest.mark.usefixtures("put_back")
def test_uninstalling_leaves_the_crd_and_the_voices_at_work(operator: Operator, tenant: Tenant, client: Client) -> None:
    tenant.serve("stays")
    url = tenant.until_ready("stays")["url"]
    workers = uids(tenant.workers("stays"))

    helm(operator.kubectl, "uninstall", RELEASE, "--wait", "--timeout=2m")
    eventually(lambda: everything_labelled(tenant, RELEASE) == [f"customresourcedefinition.apiextensions.k8s.io/{CRD}"])
    own = "all,secret,configmap,lease,role,rolebinding,serviceaccount,pdb"
    assert operator.kubectl.names(own) == ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default"]
    assert client.speak(f"{url}/v1/audio/speech", "Still here.")

    with setup.namespace(tenant, "passing") as passing:
        tenant.within(passing)("create", "configmap", "something")
    eventually(lambda: tenant.find("namespace", passing) is None, within=60)

    setup.install(tenant.within("default"))
    tenant.until_ready("stays")
    assert uids(tenant.workers("stays")) == workers, "neither uninstalling nor installing restarts a worker"


@pytest.mark.usefixtures("put_back")
def test_uninstalling_with_the_crd_takes_everything(operator: Operator, tenant: Tenant) -> None:
    tenant.serve("goes")
    tenant.until_ready("goes")
    upgrade(operator, "--set=crds.keep=false")
    helm(operator.kubectl, "uninstall", RELEASE, "--wait", "--timeout=2m")
    eventually(lambda: not everything_labelled(tenant, RELEASE))
    eventually(lambda: not tenant.children("goes"))
