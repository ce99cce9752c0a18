"""What tests apply besides a TTSService: small pods that satisfy the restricted Pod Security Standard."""

from typing import Any

from tests.support.cluster.kubectl import Object
from ttscontract.pods import USER_ID

API_VERSION = "tts-operator.io/v1alpha1"

# Small enough that a two-core node takes a dozen workers beside everything else.
SMALL = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"cpu": "1"}}


def tts_service(name: str, **spec: Any) -> Object:
    """A TTSService that speaks with the embedded voice and stops soon, unless the spec says otherwise."""
    soon = {"shutdownDelaySeconds": 3}
    defaults = {"model": {"source": "builtin://hibari"}, "resources": SMALL, "rollout": soon}
    return {
        "apiVersion": API_VERSION,
        "kind": "TTSService",
        "metadata": {"name": name},
        "spec": {key: value for key, value in (defaults | spec).items() if value is not None},
    }


def restricted_namespace(name: str) -> Object:
    """A namespace that admits nothing but what the restricted Pod Security Standard allows."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted", "tests.tts-operator.io/run": "cluster"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def python_pod(name: str, image: str, *command: str, files: str | None = None, **labels: str) -> Object:
    """A pod of the worker's image that runs this command, with the ConfigMap `files` at /files."""
    volumes = [{"name": "tmp", "emptyDir": {}}]
    mounts: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]
    if files:
        volumes.append({"name": "files", "configMap": {"name": files}})
        mounts.append({"name": "files", "mountPath": "/files", "readOnly": True})
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name, **labels}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER_ID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": volumes,
        },
    }


def service_of(name: str, port: int) -> Object:
    """The Service in front of the pod of the same name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": port}]},
    }
