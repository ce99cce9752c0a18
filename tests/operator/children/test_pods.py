"""The pods of the workers and of the download: security, placement, image."""

import pytest

from tests.support.operator.rendered import children, container, pod
from tests.support.operator.world import HTTPS, SHA, World, service
from ttsoperator import names
from ttsoperator.children.context import Defaults

KINDS = ("Job", "Deployment")
HERE = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {names.LABEL_SERVICE: "english"}}}


@pytest.mark.parametrize("kind", KINDS)
def test_pods_satisfy_the_restricted_standard(kind: str) -> None:
    security = pod(kind)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] == 65532
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(kind)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "name"}
    assert all(set(volume) <= allowed for volume in pod(kind)["volumes"])


@pytest.mark.parametrize("kind", KINDS)
def test_pods_have_no_token_and_no_variables_of_other_services(kind: str) -> None:
    found = pod(kind)
    assert found["automountServiceAccountToken"] is False
    assert found["enableServiceLinks"] is False
    assert found["serviceAccountName"] == "english-worker"


def test_only_the_download_may_write_the_model() -> None:
    mounts = {
        kind: {m["mountPath"]: m.get("readOnly", False) for m in container(kind)["volumeMounts"]} for kind in KINDS
    }
    assert mounts == {
        "Job": {"/models": False, "/tmp": False},
        "Deployment": {"/etc/ttsworker": True, "/models": True, "/tmp": False},
    }


def test_the_download_inherits_the_workers_placement() -> None:
    template = {
        "labels": {"team": "speech"},
        "annotations": {"sidecar.istio.io/inject": "false"},
        "nodeSelector": {"zone": "a"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "priorityClassName": "high",
        "runtimeClassName": "nvidia",
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
    }
    job, worker = (children(podTemplate=template)[kind]["spec"]["template"] for kind in KINDS)
    for field in ("nodeSelector", "tolerations", "priorityClassName", "runtimeClassName", "affinity"):
        assert job["spec"][field] == worker["spec"][field], field
    assert job["spec"]["priorityClassName"] == "high"
    for found in (job, worker):
        assert found["metadata"]["labels"]["team"] == "speech"
        assert found["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
        assert {"name": "HTTPS_PROXY", "value": "http://proxy"} in found["spec"]["containers"][0]["env"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_of_one_node_keeps_its_pods_together(kind: str) -> None:
    near = pod(kind)["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert near == [HERE]
    labels = children()[kind]["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= HERE["labelSelector"]["matchLabels"].items(), "or the first pod could run nowhere"  # type: ignore[index]


@pytest.mark.parametrize("kind", KINDS)
def test_the_users_own_affinity_is_kept_beside_it(kind: str) -> None:
    own = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "redis"}}}
    asked = {
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]},
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [own]},
    }
    found = pod(kind, podTemplate={"affinity": asked})["affinity"]
    assert found["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] == [own, HERE]
    assert found["podAntiAffinity"] == asked["podAntiAffinity"]


def test_workers_that_are_free_to_spread_do() -> None:
    shared = pod("Deployment", storage={"accessModes": ["ReadWriteMany"]})
    assert "affinity" not in shared
    assert "topologySpreadConstraints" not in pod("Deployment")
    world = World()
    world.step(service())
    builtin = world.one("Deployment")["spec"]["template"]["spec"]
    for found in (shared, builtin):
        [spread] = found["topologySpreadConstraints"]
        assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")


@pytest.mark.parametrize(
    ("default", "asked", "image"),
    [
        ("r.example.com:5000/w:1", {}, "r.example.com:5000/w:1"),
        ("r.example.com:5000/w", {"tag": "2"}, "r.example.com:5000/w:2"),
        ("r.example.com/w:1", {"tag": "2"}, "r.example.com/w:2"),
        ("r.example.com/w:1", {"repository": "mirror:5000/w"}, "mirror:5000/w:1"),
        ("r.example.com/w@sha256:aa", {"repository": "mirror/w"}, "mirror/w@sha256:aa"),
        ("r.example.com/w:1@sha256:aa", {"tag": "2"}, "r.example.com/w:2"),
        ("r.example.com/w:1@sha256:aa", {}, "r.example.com/w:1@sha256:aa"),
        ("r.example.com:5000/w:1", {"digest": f"sha256:{SHA}"}, f"r.example.com:5000/w@sha256:{SHA}"),
        ("w@sha256:aa", {"repository": "m:5/w", "digest": f"sha256:{SHA}"}, f"m:5/w@sha256:{SHA}"),
        ("r.example.com/w:1", {"repository": "a/b", "tag": "c"}, "a/b:c"),
    ],
)
def test_image(default: str, asked: dict[str, str], image: str) -> None:
    found = children(Defaults(default), image=asked)
    for kind in KINDS:
        assert found[kind]["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_the_resources_of_the_download_are_the_specs() -> None:
    assert container("Job")["resources"]["limits"] == {"memory": "512Mi"}
    asked = {"limits": {"cpu": 1, "memory": "1Gi"}}
    model = {"source": HTTPS, "downloadResources": asked}
    assert container("Job", model=model)["resources"] == {"limits": {"cpu": "1", "memory": "1Gi"}}


def test_pull_policy_and_secrets() -> None:
    assert container("Job")["imagePullPolicy"] == "IfNotPresent"
    assert container("Job", image={"pullPolicy": "Never"})["imagePullPolicy"] == "Never"
    assert pod("Deployment", image={"pullSecrets": [{"name": "a"}]})["imagePullSecrets"] == [{"name": "a"}]


def test_every_child_is_labelled_owned_and_sealed() -> None:
    for manifest in children(autoscaling={}).values():
        metadata = manifest["metadata"]
        assert metadata["labels"][names.LABEL_MANAGED_BY] == "tts-operator"
        assert metadata["labels"][names.LABEL_SERVICE] == "english"
        [owner] = metadata["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["kind"]) == ("uid-english", True, "TTSService")
        assert len(metadata["annotations"][names.APPLIED_HASH]) == 16
