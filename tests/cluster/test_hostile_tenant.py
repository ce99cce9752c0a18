"""What one tenant creates in its namespace does not stop the operator for the others."""

import json

import pytest

from tests.support.cluster.installed import Operator
from tests.support.cluster.kubectl import Kubectl, Object
from tests.support.cluster.manifests import python_pod
from tests.support.cluster.setup import namespace
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

pytestmark = pytest.mark.alone

OURS = {
    "app.kubernetes.io/managed-by": "tts-operator",
    "app.kubernetes.io/component": "worker",
    "tts-operator.io/service": "english",
}
CONFIG_MAPS, BATCH = 200, 20
CONTENT = "x" * 950_000

# A parser that handles each escape anew needs minutes for these four megabytes.
HOSTILE_METRICS = r"""
import http.server

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'tts_queue_depth{a="' + b'\\"' * 2_000_000 + b'"} 1\n'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("", 9090), Answer).serve_forever()
"""


def _restarts(operator: Operator) -> int:
    """How often containers of the operator ended by themselves."""
    statuses = [status for pod in operator.pods() for status in pod["status"].get("containerStatuses", [])]
    return sum(status["restartCount"] for status in statuses)


def _config_map(number: int) -> Object:
    meta = {"name": f"huge-{number}", "labels": OURS}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": CONTENT}}


def test_huge_objects_with_our_labels_do_not_end_the_operator(
    kubectl: Kubectl, tenant: Tenant, operator: Operator
) -> None:
    with namespace(kubectl, "hostile") as name:
        hostile = Tenant(kubectl.kubeconfig, name)
        for first in range(0, CONFIG_MAPS, BATCH):
            items = [_config_map(number) for number in range(first, first + BATCH)]
            hostile("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        operator.restart()
        tenant.serve("english")
        tenant.until_ready("english")
        assert _restarts(operator) == 0


def test_a_pod_with_hostile_metrics_does_not_keep_the_operator_from_others(
    kubectl: Kubectl, tenant: Tenant, operator: Operator, worker_image: str
) -> None:
    before = _restarts(operator)
    with namespace(kubectl, "hostile") as name:
        hostile = Tenant(kubectl.kubeconfig, name)
        hostile.serve("english", autoscaling={"minReplicas": 1, "maxReplicas": 2})
        hostile.until_ready("english")
        hostile.apply(python_pod("liar", worker_image, "python", "-c", HOSTILE_METRICS, **OURS))
        hostile.wait("pod", "liar", "--for=condition=Ready")
        eventually(lambda: hostile.condition("english", "AutoscalingActive").get("reason") == "MetricsUnavailable")
        tenant.serve("english")
        tenant.until_ready("english")
        assert _restarts(operator) == before
