"""From a manifest to audible words: the purpose of the project."""

from tests.support.cluster.client import Client
from tests.support.cluster.files import FileServer
from tests.support.cluster.kubectl import Kubectl
from tests.support.cluster.manifests import API_VERSION, python_pod
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually
from tests.support.judge import SENTENCES, recognise

TRY_TO_WRITE = "import pathlib; pathlib.Path('/models/mine').touch()"


def test_three_lines_become_speech(tenant: Tenant, client: Client) -> None:
    tenant.apply({
        "apiVersion": API_VERSION,
        "kind": "TTSService",
        "metadata": {"name": "english"},
        "spec": {"model": {"source": "builtin://hibari"}},
    })  # fmt: skip
    status = tenant.until_ready("english")

    assert status["url"] == f"http://english.{tenant.namespace}.svc:5002"
    assert recognise(client.speak(status["url"], SENTENCES[0])) == SENTENCES[0]
    assert recognise(client.speak(status["url"], SENTENCES[7])) == SENTENCES[7]

    header, row = tenant("get", "tts", "english").splitlines()
    assert header.split() == ["NAME", "ENGINE", "MODEL", "READY", "REPLICAS", "URL", "AGE"]
    assert row.split()[:6] == ["english", "hibari", "builtin://hibari", "True", "1", status["url"]]
    # Ready does not wait for them: a busy worker is asked again.
    eventually(lambda: tenant.service("english")["status"].get("voices"))
    events = tenant.events("TTSService", "english")
    assert any(event.startswith("RolledOut") for event in events), events


def test_downloaded_model_becomes_speech(tenant: Tenant, client: Client, files: FileServer, worker_image: str) -> None:
    tenant.serve("english", engine="hibari", model=files.model)
    status = tenant.until_ready("english")

    assert recognise(client.speak(status["url"], SENTENCES[3])) == SENTENCES[3]
    assert status["model"]["source"] == files.url
    assert status["model"]["bytes"] > 1_000_000
    assert status["model"]["digest"].startswith("sha256:")
    assert "GET /assets/hibari.onnx 200" in files.log()

    (worker,) = tenant.workers("english")
    refused = eventually(lambda: _output_of_failure(tenant, worker["metadata"]["name"], TRY_TO_WRITE), within=10)
    assert "Read-only file system" in refused

    # Somebody empties the volume: workers that start from now on must not pretend.
    cleaner = python_pod("cleaner", worker_image, "sh", "-c", "rm -rf /models/*")
    cleaner["spec"]["volumes"].append({"name": "model", "persistentVolumeClaim": {"claimName": "english-model"}})
    cleaner["spec"]["containers"][0]["volumeMounts"].append({"name": "model", "mountPath": "/models"})
    cleaner["spec"]["restartPolicy"] = "Never"
    tenant.apply(cleaner)
    tenant.wait("pod", "cleaner", "--for=jsonpath={.status.phase}=Succeeded")
    tenant.delete("pod", worker["metadata"]["name"])
    message = tenant.until_condition("english", "WorkloadAvailable", "False", "ModelMissing")
    assert "/models/" in message
    assert tenant.condition("english", "Ready")["status"] == "False"


def test_every_field_is_explained(kubectl: Kubectl, operator: object) -> None:  # noqa: ARG001
    told = kubectl("explain", "tts.spec.serving.maxQueueLength")
    assert "429" in told
    assert "gpuUtilizationPercent" in kubectl("explain", "tts.spec.autoscaling.targets")
    assert "<empty>" not in kubectl("explain", "tts", "--recursive")


def _output_of_failure(tenant: Tenant, pod: str, program: str) -> str:
    """What a program that must fail said in a worker."""
    return tenant("exec", pod, "-c", "worker", "--", "sh", "-c", f'python -c "{program}" 2>&1; test $? -ne 0')
