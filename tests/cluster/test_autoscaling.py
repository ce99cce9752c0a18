"""Workers follow the load: the real HorizontalPodAutoscaler, fed by the operator's metrics."""

from typing import Any

from tests.support.cluster.client import Client
from tests.support.cluster.manifests import python_pod
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually, holds
from tests.support.judge import SENTENCES

# Quick for the test's sake; the defaults take five minutes of calm before the first worker goes.
QUICK: dict[str, Any] = {
    "scaleUp": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 5}]},
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 5}],
    },
}
# Far too much for three such workers on any machine, and yet the machine has room for them.
SLOW = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "300m"}}
TEXT = " ".join(f"{sentence.capitalize()}." for sentence in SENTENCES[:5])
TEXTS_PER_SECOND = 15
# Few wait, so that however slow the machine is, each of them is answered; most are told at once to come later.
SERVING = {"maxConcurrency": 1, "maxQueueLength": 12, "requestTimeoutSeconds": 300}


def test_a_burst_brings_workers_and_calm_takes_them(tenant: Tenant, client: Client, worker_image: str) -> None:
    autoscaling = {"minReplicas": 1, "maxReplicas": 3, "targets": {"queueDepth": 2}, "behavior": QUICK}
    tenant.serve("english", resources=SLOW, autoscaling=autoscaling, serving=SERVING)
    url = tenant.until_ready("english")["url"]
    eventually(lambda: _hpa_condition(tenant, "ScalingActive").startswith("True"))

    with client.burst(url, TEXT, per_second=TEXTS_PER_SECOND) as load:
        eventually(lambda: tenant.service("english")["status"]["readyReplicas"] == 3)
        assert tenant.condition("english", "Ready")["status"] == "True", "scaling is no trouble"
        load.stop()
        # Before the queue is empty one worker falls silent, so that calm is never heard of.
        tenant.apply(python_pod("blind", worker_image, "sleep", "infinity", **_worker_labels("english")))

    assert not load.lost, load.answers
    assert load.answers["200"] > 10, load.answers
    rescales = [event for event in tenant.events("HorizontalPodAutoscaler", "english") if "SuccessfulRescale" in event]
    assert any("tts_queue_depth" in event and "above target" in event for event in rescales), rescales

    # Not knowing is no reason to take a worker away.
    eventually(lambda: _hpa_condition(tenant, "ScalingActive").startswith("False FailedGetObjectMetric"))
    holds(lambda: tenant.get("deployment", "english")["spec"]["replicas"] == 3, seconds=25)
    assert tenant.condition("english", "AutoscalingActive")["status"] == "False"

    tenant.delete("pod", "blind")
    eventually(lambda: tenant.get("deployment", "english")["spec"]["replicas"] == 1)
    assert tenant.condition("english", "Ready")["status"] == "True"


def _hpa_condition(tenant: Tenant, kind: str) -> str:
    conditions = tenant.get("hpa", "english").get("status", {}).get("conditions", [])
    return next((f"{each['status']} {each['reason']}" for each in conditions if each["type"] == kind), "")


def _worker_labels(service: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "tts-worker",
        "app.kubernetes.io/instance": service,
        "app.kubernetes.io/managed-by": "tts-operator",
        "app.kubernetes.io/component": "worker",
        "tts-operator.io/service": service,
    }
