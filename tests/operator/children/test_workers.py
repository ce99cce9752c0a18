"""Deployment, ConfigMap, Service, HPA, claim and Job as they are rendered."""

import json
from typing import Any

import pytest

from tests.support.operator.rendered import children, container, pod
from tests.support.operator.world import HTTPS, SHA, World, downloaded, running, service
from ttsoperator import names


def config(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(children(**spec)["ConfigMap"]["data"]["worker.json"])
    return found


def template_hash(**spec: Any) -> str:
    return str(children(**spec)["Deployment"]["spec"]["template"]["metadata"]["annotations"][names.TEMPLATE_HASH])


# Deployment


def test_the_selector_never_changes() -> None:
    """Kubernetes refuses to change it: a release that rendered another could not touch a running service."""
    specs: list[dict[str, Any]] = [{}, {"engine": "coqui"}, {"podTemplate": {"labels": {"a": "b"}}}]
    for spec in specs:
        assert children(**spec)["Deployment"]["spec"]["selector"] == {
            "matchLabels": {"tts-operator.io/service": "english", "app.kubernetes.io/component": "worker"}
        }


def test_probes() -> None:
    worker = container("Deployment")
    for probe, path in (("startupProbe", "/ready"), ("readinessProbe", "/ready"), ("livenessProbe", "/health")):
        assert worker[probe]["httpGet"] == {"path": path, "port": "http", "scheme": "HTTP"}
    startup = worker["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 600
    assert children()["Deployment"]["spec"]["progressDeadlineSeconds"] > 600


def test_a_worker_has_the_time_to_finish() -> None:
    found = pod("Deployment", serving={"drainTimeoutSeconds": 100})
    assert found["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert found["terminationGracePeriodSeconds"] == 15 + 100 + 10
    found = pod("Deployment", rollout={"shutdownDelaySeconds": 0})
    assert "lifecycle" not in found["containers"][0], "some versions of Kubernetes refuse a sleep of 0 s"
    assert found["terminationGracePeriodSeconds"] == 30 + 10


@pytest.mark.parametrize(
    ("spec", "gpus", "surge"),
    [
        ({}, None, 1),
        ({"gpu": {"count": 2}}, "2", 0),
        ({"engine": "coqui"}, "1", 0),
        ({"engine": "coqui", "gpu": {"count": 0}}, None, 1),
    ],
)
def test_a_rollout_never_waits_for_a_gpu_that_is_not_there(spec: dict[str, Any], gpus: str | None, surge: int) -> None:
    found = children(**spec)["Deployment"]["spec"]
    assert found["template"]["spec"]["containers"][0]["resources"]["limits"].get("nvidia.com/gpu") == gpus
    assert found["strategy"]["rollingUpdate"] == {"maxSurge": surge, "maxUnavailable": 1 - surge}


def test_a_worker_without_a_gpu_serves_until_the_first_one_with_a_gpu_does() -> None:
    """Stopping it would make no room for the other, which may wait for a GPU for ever."""
    world, wanted = running(), downloaded(generation=2, gpu={"count": 1})
    world.step(wanted)
    strategy = world.one("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 1, "maxUnavailable": 0}
    world.add_worker("with-gpu", ready=False)
    assert not world.step(wanted).actions, "also while the new one waits for a GPU"
    del world.pods["worker-0"]
    world.step(wanted)
    strategy = world.one("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 0, "maxUnavailable": 1}, "from now on each worker makes room for the next"


def test_a_worker_without_a_gpu_whose_pod_is_replaced_serves_until_one_with_a_gpu_does() -> None:
    """Its next pod may not be there yet, and the one with a GPU may wait for ever."""
    world, wanted = running(), downloaded(generation=2, gpu={"count": 1})
    world.settle(wanted)
    world.add_worker("with-gpu", ready=False)
    world.pods["worker-0"]["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    assert not world.plan(wanted).actions
    world.add_worker("worker-1", ready=True)["spec"] = world.pods.pop("worker-0")["spec"]
    assert not world.plan(wanted).actions


def test_an_evicted_worker_without_a_gpu_lets_those_with_gpus_make_room() -> None:
    """Kubernetes keeps the pod, as a record."""
    world, wanted = running(), downloaded(generation=2, gpu={"count": 1})
    world.pods["worker-0"]["status"]["phase"] = "Failed"
    world.step(wanted)
    strategy = world.one("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxSurge": 0, "maxUnavailable": 1}


def test_resources_are_the_engines_unless_given_as_a_whole() -> None:
    assert container("Deployment")["resources"]["requests"] == {"cpu": "250m", "memory": "512Mi"}
    coqui = container("Deployment", engine="coqui")["resources"]
    assert coqui["limits"] == {"memory": "8Gi", "nvidia.com/gpu": "1"}
    given = container("Deployment", engine="coqui", resources={"requests": {"cpu": 1}}, gpu={"resourceName": "a.b/c"})
    assert given["resources"] == {"requests": {"cpu": "1"}, "limits": {"a.b/c": "1"}}


def test_replicas_are_absent_while_something_scales() -> None:
    assert children(replicas=3)["Deployment"]["spec"]["replicas"] == 3
    assert "replicas" not in children(replicas=3, autoscaling={})["Deployment"]["spec"]


def test_settings_that_workers_read_roll_the_workers() -> None:
    plain = template_hash()
    assert template_hash(serving={"maxConcurrency": 9}) != plain
    assert template_hash(model={"source": HTTPS, "sha256": SHA}) != plain
    assert template_hash(podTemplate={"env": [{"name": "A", "value": "1"}]}) != plain


def test_settings_that_workers_do_not_read_do_not_roll_them() -> None:
    others: list[dict[str, Any]] = [
        {"replicas": 5},
        {"autoscaling": {}},
        {"service": {"type": "NodePort"}},
        {"storage": {"size": "20Gi"}},
    ]
    assert {template_hash(**spec) for spec in others} == {template_hash()}


# ConfigMap


def test_worker_json() -> None:
    assert config() == {
        "engine": "hibari",
        "model_dir": f"/models/{names.model_key(HTTPS, None)}",
        "managed_by": "Operator",
        "precision": "Auto",
        "threads": 0,
        "max_concurrency": 8,
        "max_batch_size": 5,
        "max_queue_length": 64,
        "max_queue_audio_seconds": 120,
        "max_text_length": 4096,
        "request_timeout_seconds": 60,
        "drain_timeout_seconds": 30,
        "text_logging": "Masked",
        "voice_aliases": {},
        "unknown_voice": "Reject",
        "unknown_fields": "Ignore",
        "allowed_origins": [],
        "markup": "Auto",
        "tags": "Reject",
        "on_unspeakable": "Skip",
        "rate_limit_per_second": 0,
        "max_requests_per_client": 0,
    }


def test_the_builtin_model_has_no_folder() -> None:
    world = World()
    world.step(service())
    found = json.loads(world.one("ConfigMap")["data"]["worker.json"])
    assert (found["engine"], found["model_dir"]) == ("hibari", None)


@pytest.mark.parametrize(("cpu", "threads"), [("4", 4), ("2500m", 2), ("250m", 1), (3, 3), ("1M", 1024)])
def test_threads_are_the_cpu_limit(cpu: str | int, threads: int) -> None:
    assert config(resources={"limits": {"cpu": cpu}})["threads"] == threads


def test_the_worker_gets_the_path_of_the_mounted_file() -> None:
    worker = container("Deployment")
    [variable] = [v for v in worker["env"] if v["name"] == "TTSWORKER_CONFIG"]
    [mount] = [m for m in worker["volumeMounts"] if m["name"] == "config"]
    [key] = children()["ConfigMap"]["data"]
    assert variable["value"] == f"{mount['mountPath']}/{key}"


# Service


def test_service() -> None:
    found = children()["Service"]["spec"]
    assert found["selector"] == children()["Deployment"]["spec"]["selector"]["matchLabels"]
    assert {port["name"]: port["port"] for port in found["ports"]} == {"http": 5002, "metrics": 9090}
    assert {port["targetPort"] for port in found["ports"]} == {p["name"] for p in container("Deployment")["ports"]}


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_metrics_are_not_offered_outside_the_cluster(kind: str) -> None:
    found = children(service={"type": kind, "annotations": {"a": "b"}})["Service"]
    assert [port["name"] for port in found["spec"]["ports"]] == ["http"]
    assert (found["spec"]["type"], found["metadata"]["annotations"]["a"]) == (kind, "b")


# HPA


def test_hpa_has_the_queue_of_the_service_and_the_gpus_of_the_pods() -> None:
    spec = children(engine="coqui", autoscaling={"targets": {"queueDepth": 4, "gpuUtilizationPercent": 80}})
    found = spec["HorizontalPodAutoscaler"]["spec"]
    assert found["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "english"}
    assert (found["minReplicas"], found["maxReplicas"]) == (1, 10)
    queue, gpu = found["metrics"]
    assert queue["object"] == {
        "metric": {"name": "tts_queue_depth"},
        "describedObject": {"apiVersion": "tts-operator.io/v1alpha1", "kind": "TTSService", "name": "english"},
        "target": {"type": "AverageValue", "averageValue": "4"},
    }
    assert gpu["pods"] == {
        "metric": {"name": "tts_gpu_utilization_ratio"},
        "target": {"type": "AverageValue", "averageValue": "800m"},
    }


def test_hpa_behaviour_is_the_users_or_fast_up_and_slow_down() -> None:
    default = children(autoscaling={})["HorizontalPodAutoscaler"]["spec"]["behavior"]
    assert default["scaleUp"]["policies"][0] == {"type": "Percent", "value": 100, "periodSeconds": 15}
    assert default["scaleDown"]["stabilizationWindowSeconds"] == 300
    own = {"scaleDown": {"selectPolicy": "Disabled"}}
    assert children(autoscaling={"behavior": own})["HorizontalPodAutoscaler"]["spec"]["behavior"] == own


# claim and Job


def test_claim() -> None:
    assert children()["PersistentVolumeClaim"]["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
    }
    own = {"size": "5Gi", "storageClassName": "", "accessModes": ["ReadWriteMany"]}
    assert children(storage=own)["PersistentVolumeClaim"]["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "",
    }


def test_job() -> None:
    job = children(model={"source": HTTPS, "sha256": SHA}, storage={"size": "1Gi"})["Job"]
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] == 12 * 3600  # no source holds a Job for ever
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in job["spec"]
    [fetch] = job["spec"]["template"]["spec"]["containers"]
    assert fetch["command"] == [
        *("python", "-m", "ttsworker.fetch", "--source", HTTPS, "--root", "/models"),
        *("--key", names.model_key(HTTPS, SHA), "--sha256", SHA),
        *("--max-bytes", str(1024**3), "--metrics-port", "9090"),
    ]


def test_job_into_an_existing_claim_has_no_bound() -> None:
    [fetch] = children(storage={"existingClaimName": "mine"})["Job"]["spec"]["template"]["spec"]["containers"]
    assert "--max-bytes" not in fetch["command"]
    assert downloaded().storage.existing_claim_name is None
