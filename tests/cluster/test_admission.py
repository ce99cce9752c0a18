"""The API rejects specs that cannot work, with a message that says what to do."""

from typing import Any

import pytest

from tests.support.cluster.kubectl import KubectlError
from tests.support.cluster.tenant import Tenant

SHA = "0" * 64
HTTPS = {"source": "https://example.com/voice.onnx"}

BAD_SPECS: list[tuple[str, dict[str, Any], str]] = [
    ("no-model", {"model": None}, "model"),
    ("strange-source", {"model": {"source": "ftp://example.com/x"}}, "must be builtin://hibari, or the https:// URL"),
    ("no-file", {"model": {"source": "https://example.com/"}, "engine": "hibari"}, "URL of a model file or archive"),
    ("plain-http", {"model": {"source": "http://example.com/x"}, "engine": "hibari"}, "set spec.model.sha256"),
    ("password", {"model": {"source": "https://me:secret@example.com/x"}, "engine": "hibari"}, "user name or password"),
    ("bad-sum", {"model": {**HTTPS, "sha256": "abc"}, "engine": "hibari"}, "spec.model.sha256"),
    ("no-engine", {"model": HTTPS}, "spec.engine is required"),
    ("no-engine-of-image", {"model": {"source": "builtin://alba"}}, "spec.engine is required"),
    ("strange-name", {"model": {"source": "builtin://Al/ba"}, "engine": "hibari"}, "and the name of a model that"),
    ("strange-engine", {"model": HTTPS, "engine": "espeak"}, 'supported values: "hibari", "onnx", "coqui"'),
    ("wrong-engine", {"engine": "coqui"}, "needs the engine hibari: remove spec.engine"),
    ("needless-volume", {"storage": {"size": "1Gi"}}, "needs no volume: remove spec.storage"),
    ("two-claims", {"model": HTTPS, "engine": "hibari", "storage": {"existingClaimName": "mine", "size": "1Gi"}},
     "an existing claim has its own size"),
    ("min-above-max", {"autoscaling": {"minReplicas": 5, "maxReplicas": 2}}, "raise maxReplicas"),
    ("no-target", {"autoscaling": {"targets": {}}}, "set at least one target"),
    ("gpu-target", {"autoscaling": {"targets": {"gpuUtilizationPercent": 80}}}, "set spec.gpu.count"),
    ("gpu-in-resources", {"resources": {"limits": {"nvidia.com/gpu": 1}}}, "spec.gpu requests GPUs"),
    ("replicas", {"replicas": -1}, "should be greater than or equal to 0"),
    ("queue", {"serving": {"maxQueueLength": 10**6}}, "should be less than or equal to 100000"),
    ("long-alias", {"serving": {"voiceAliases": {"x" * 65: "p225"}}}, "must have 1 to 64 characters"),
    ("precision", {"serving": {"precision": "Int4"}}, "supported values"),
    ("unknown-field", {"replica": 2}, "unknown field"),
    ("our-label", {"podTemplate": {"labels": {"tts-operator.io/service": "other"}}}, "are reserved for the operator"),
    ("kubernetes-label", {"podTemplate": {"labels": {"job-name": "other"}}}, "Kubernetes sets the labels"),
    ("tag-and-digest", {"image": {"tag": "1", "digest": f"sha256:{SHA}"}}, "set either tag or digest"),
    ("x" * 41, {}, "must have at most 40 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spec", "message"), BAD_SPECS, ids=[each[0] for each in BAD_SPECS])
def test_bad_spec_is_refused(shared: Tenant, name: str, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(KubectlError) as refusal:
        shared.serve(name, **spec)
    assert message in str(refusal.value)
    assert "Traceback" not in str(refusal.value)
    assert shared.find("tts", name) is None


def test_immutable_storage_fields_cannot_be_changed(shared: Tenant) -> None:
    model = {"source": "https://example.invalid/voice.onnx"}
    shared.serve("kept", engine="hibari", model=model, replicas=0, storage={"size": "2Gi", "storageClassName": "none"})
    for storage, message in [
        ({"size": "2Gi", "storageClassName": "other"}, "storageClassName cannot be changed"),
        ({"size": "2Gi", "storageClassName": "none", "accessModes": ["ReadWriteMany"]}, "accessModes cannot be"),
    ]:
        with pytest.raises(KubectlError, match=message):
            shared.serve("kept", engine="hibari", model=model, replicas=0, storage=storage)
    shared.delete("tts", "kept")
