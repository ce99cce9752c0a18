"""What the cache keeps of objects that anybody may have made."""

import json
from typing import Any

from ttsoperator.kube.lean import CONTENT_BYTES, lean


def config_map(**content: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "a"}, **content}


def test_a_config_map_of_ours_is_kept_whole() -> None:
    data = {"worker.json": "x" * CONTENT_BYTES}
    assert lean(config_map(data=data))["data"] == data


def test_the_content_of_a_huge_config_map_is_dropped() -> None:
    huge = config_map(data={"a": "x" * CONTENT_BYTES, "b": "y"}, binaryData={"c": "z" * 900_000})
    assert lean(huge) == config_map(data={})
    assert huge["binaryData"], "the caller's object stays as it is"


def test_of_a_pod_only_what_a_pass_reads_is_kept() -> None:
    pod: dict[str, Any] = {
        "kind": "Pod",
        "metadata": {
            "name": "a",
            "annotations": {"huge": "x" * 200_000, "tts-operator.io/template-hash": "h"},
            "labels": {"app": "a"},
            "managedFields": [{}],
        },
        "spec": {
            "nodeName": "n",
            "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": "c"}}],
            "containers": [
                {
                    "name": "worker",
                    "image": "i",
                    "resources": {"limits": {"cpu": "1"}},
                    "env": [{"name": "A", "value": "x" * 500_000}],
                }
            ],
        },
        "status": {"phase": "Running"},
    }
    assert len(json.dumps(lean(pod))) < 500
    assert lean(pod)["metadata"]["annotations"] == {"tts-operator.io/template-hash": "h"}
    assert lean(pod)["spec"]["containers"] == [{"name": "worker", "image": "i", "resources": {"limits": {"cpu": "1"}}}]
    assert (lean(pod)["spec"]["nodeName"], lean(pod)["spec"]["volumes"]) == ("n", pod["spec"]["volumes"])
