"""What the chart makes of its values, and what it refuses."""

from __future__ import annotations

import base64
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.contract.chart import (
    CHART,
    ROOT,
    VALUE_SETS,
    Refused,
    Values,
    environment,
    helm,
    notes,
    of_kind,
    one,
    pod_spec,
    render,
    render_anew,
    run_helm,
)
from ttscontract.pods import METRICS_PORT
from ttsoperator.settings import Settings


@pytest.fixture(params=list(VALUE_SETS.values()), ids=list(VALUE_SETS))
def values(request: pytest.FixtureRequest) -> Values:
    chosen: Values = request.param
    return chosen


def test_lint_finds_nothing() -> None:
    subprocess.run([helm(), "lint", "--strict", "--quiet", CHART], check=True, capture_output=True, text=True)


def test_every_object_is_labelled_and_named_once(values: Values) -> None:
    manifests = render(values)
    places = [(m["kind"], m["metadata"].get("namespace"), m["metadata"]["name"]) for m in manifests]
    assert len(places) == len(set(places))
    for manifest in manifests:
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "tts-operator"
        assert labels["app.kubernetes.io/instance"] == "tts-operator"
        assert labels["app.kubernetes.io/managed-by"] == "Helm", "the operator would take it for a child of its own"


def test_the_services_find_the_pods(values: Values) -> None:
    manifests = render(values)
    deployment = one(manifests, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"] for port in pod_spec(manifests)["containers"][0]["ports"]}
    for selector in [
        deployment["spec"]["selector"]["matchLabels"],
        one(manifests, "Service")["spec"]["selector"],
        *(m["spec"]["selector"]["matchLabels"] for m in of_kind(manifests, "PodDisruptionBudget")),
    ]:
        assert selector.items() <= labels.items()
    assert {port["targetPort"] for port in one(manifests, "Service")["spec"]["ports"]} <= ports


def test_the_operator_understands_its_environment(values: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment(render(values))
    known = {f"TTS_OPERATOR_{name.upper()}" for name in Settings.model_fields}
    assert set(told) <= known
    for name, value in told.items():
        if isinstance(value, str):
            monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.namespaces == tuple(values.get("watchNamespaces", ()))
    assert (settings.custom_metrics_cert_dir is None) == (values.get("customMetrics", {}).get("enabled") is False)
    assert settings.worker_image == "localhost/tts-worker:dev"


def test_the_ports_are_those_of_the_operator(values: Values) -> None:
    manifests = render(values)
    ports = {port["name"]: port["containerPort"] for port in pod_spec(manifests)["containers"][0]["ports"]}
    expected = {"metrics": Settings().metrics_port, "custom-metrics": Settings().custom_metrics_port}
    for name, port in expected.items():
        assert ports.get(name, port) == port
        assert environment(manifests)[f"TTS_OPERATOR_{name.replace('-', '_').upper()}_PORT"] == str(port)
    [metrics] = [port["port"] for port in one(manifests, "Service")["spec"]["ports"] if port["name"] == "metrics"]
    assert metrics == METRICS_PORT == expected["metrics"]


def test_images_come_from_the_values() -> None:
    digest = "sha256:" + "a" * 64
    manifests = render(
        {
            "operatorImage": {
                "repository": "registry.example:5000/tts/operator",
                "tag": "1.2.3",
                "pullPolicy": "Always",
            },
            "workerImage": {"repository": "registry.example/tts/worker", "tag": digest, "pullPolicy": "Never"},
        }
    )
    (container,) = pod_spec(manifests)["containers"]
    assert container["image"] == "registry.example:5000/tts/operator:1.2.3"
    assert container["imagePullPolicy"] == "Always"
    assert environment(manifests)["TTS_OPERATOR_WORKER_IMAGE"] == f"registry.example/tts/worker@{digest}"
    assert environment(manifests)["TTS_OPERATOR_WORKER_IMAGE_PULL_POLICY"] == "Never"


def test_placement_reaches_the_pod() -> None:
    placed = VALUE_SETS["placed"]
    manifests = render(placed)
    spec = pod_spec(manifests)
    for field in ("priorityClassName", "nodeSelector", "tolerations", "affinity", "imagePullSecrets"):
        assert spec[field] == placed[field]
    metadata = one(manifests, "Deployment")["spec"]["template"]["metadata"]
    assert metadata["labels"]["team"] == "voice"
    assert metadata["annotations"]["note"] == "here"


def test_two_replicas_are_spread_and_guarded() -> None:
    alone, pair = render(), render({"replicas": 2})
    assert not of_kind(alone, "PodDisruptionBudget")
    assert "topologySpreadConstraints" not in pod_spec(alone)
    assert one(pair, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    (spread,) = pod_spec(pair)["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert "topologySpreadConstraints" in pod_spec(render({"replicas": 2, "topologySpreadConstraints": []}))


def test_the_crd_is_the_generated_one_and_is_kept() -> None:
    sources = sorted((ROOT / "crds").glob("*.yaml"))
    copies = sorted((CHART / "files").glob("*.yaml"))
    assert sources, "make generate"
    assert [path.name for path in copies] == [path.name for path in sources]
    rendered = {crd["metadata"]["name"]: crd for crd in of_kind(render(), "CustomResourceDefinition")}
    for source, copied in zip(sources, copies, strict=True):
        assert copied.read_text() == source.read_text(), "make generate"
        crd = yaml.safe_load(source.read_text())
        assert rendered[crd["metadata"]["name"]]["spec"] == crd["spec"]
    assert not (CHART / "crds").exists(), "Helm would never update it"
    for crd in rendered.values():
        assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_crd_can_be_let_go_or_left_out() -> None:
    (crd,) = of_kind(render({"crds": {"keep": False}}), "CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in crd["metadata"].get("annotations", {})
    assert not of_kind(render({"crds": {"install": False}}), "CustomResourceDefinition")


def test_one_certificate_serves_the_secret_the_api_and_the_pods() -> None:
    first, second = render_anew(), render_anew()
    assert one(first, "Secret")["data"] != one(second, "Secret")["data"], "without a cluster each render makes its own"
    for manifests in (first, second):
        data = one(manifests, "Secret")["data"]
        assert one(manifests, "APIService")["spec"]["caBundle"] == data["ca.crt"]
        assert set(data) == {"tls.crt", "tls.key", "ca.crt"}
    checksums = {
        one(m, "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/certificate"]
        for m in (first, second)
    }
    assert len(checksums) == 2, "pods roll when the certificate changes"


def test_the_certificate_is_for_the_service(tmp_path: Any) -> None:
    manifests = render()
    data = {name: base64.b64decode(text) for name, text in one(manifests, "Secret")["data"].items()}
    for name, content in data.items():
        (tmp_path / name).write_bytes(content)
    service = one(manifests, "APIService")["spec"]["service"]
    assert service == {"name": one(manifests, "Service")["metadata"]["name"], "namespace": "tts-system", "port": 443}
    verify = ["openssl", "verify", "-CAfile", tmp_path / "ca.crt", "-purpose", "sslserver", "-verify_hostname"]
    subprocess.run(
        [*verify, f"{service['name']}.{service['namespace']}.svc", tmp_path / "tls.crt"],
        check=True,
        capture_output=True,
    )


def test_a_certificate_of_your_own_is_used() -> None:
    manifests = render(VALUE_SETS["own certificate"])
    assert not of_kind(manifests, "Secret")
    assert one(manifests, "APIService")["spec"]["caBundle"] == "QUJD"
    assert {"tls"} == {v["secret"]["secretName"] for v in pod_spec(manifests)["volumes"] if "secret" in v}
    injected = one(render(VALUE_SETS["cert-manager"]), "APIService")
    assert injected["metadata"]["annotations"] == {"cert-manager.io/inject-ca-from": "tts-system/tls"}
    assert "caBundle" not in injected["spec"]


def test_the_metrics_api_is_never_trusted_blindly(values: Values) -> None:
    for service in of_kind(render(values), "APIService"):
        assert "insecureSkipTLSVerify" not in service["spec"]


def test_metrics_switch_off_whole() -> None:
    manifests = render({"customMetrics": {"enabled": False}})
    assert not of_kind(manifests, "APIService")
    assert not of_kind(manifests, "Secret")
    assert [port["name"] for port in one(manifests, "Service")["spec"]["ports"]] == ["metrics"]
    assert "custom.metrics.k8s.io" not in str(
        [m for m in of_kind(manifests, "ClusterRole") if "aggregate" not in str(m)]
    )
    assert not of_kind(render({"customMetrics": {"apiService": "Never"}}), "APIService")


@pytest.mark.parametrize("release", ["a", "voice", "a" * 53, "tts-operator-in-a-very-long-release-name-of-the-limit"])
def test_names_fit_whatever_the_release_is_called(release: str) -> None:
    for manifest in render({"replicas": 2, "watchNamespaces": ["voices"]}, release):
        name = manifest["metadata"]["name"]
        if manifest["kind"] not in {"APIService", "CustomResourceDefinition"}:
            assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name), name
        for label in manifest["metadata"]["labels"].values():
            assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", label), label


def test_notes_give_the_next_step() -> None:
    manifest = yaml.safe_load(notes().partition("<<'EOF'\n")[2].partition("  EOF")[0])
    assert manifest["kind"] == "TTSService"
    assert manifest["spec"] == {"model": {"source": "builtin://hibari"}}
    assert "serves every namespace" in notes()
    assert "namespace: voices" in notes({"watchNamespaces": ["voices"]})
    assert "did not register" in notes({"customMetrics": {"apiService": "Never"}})


@pytest.mark.parametrize(
    ("wrong", "where", "why"),
    [
        ({"replica": 2}, "", "replica"),
        ({"replicas": 0}, "/replicas", "minimum"),
        ({"replicas": "two"}, "/replicas", "want integer"),
        ({"logLevel": "verbose"}, "/logLevel", "DEBUG"),
        ({"watchNamespaces": ["Not_A_Name"]}, "/watchNamespaces/0", "pattern"),
        ({"watchNamespaces": ["a", "a"]}, "/watchNamespaces", "equal"),
        ({"watchNamespaces": "a,b"}, "/watchNamespaces", "want array"),
        ({"operatorImage": {"repository": "UPPER"}}, "/operatorImage/repository", "pattern"),
        ({"operatorImage": {"tag": ""}}, "/operatorImage/tag", "pattern"),
        ({"workerImage": {"pullPolicy": "Sometimes"}}, "/workerImage/pullPolicy", "IfNotPresent"),
        ({"workerImage": {"name": "x"}}, "/workerImage", "name"),
        ({"customMetrics": {"apiService": True}}, "/customMetrics/apiService", "Auto"),
        ({"customMetrics": {"certificate": {"existingSecret": "tls"}}}, "/customMetrics/certificate", "caBundle"),
        ({"customMetrics": {"certificate": {"caBundle": "QUJD"}}}, "/customMetrics/certificate/caBundle", "maxLength"),
        ({"serviceAccount": {"create": False}}, "/serviceAccount/name", "minLength"),
        ({"crds": {"keep": "yes"}}, "/crds/keep", "want boolean"),
        ({"podDisruptionBudget": {"maxUnavailable": 0}}, "/podDisruptionBudget/maxUnavailable", "minimum"),
        ({"resources": {"limit": {}}}, "/resources", "limit"),
    ],
)
def test_wrong_values_are_refused_by_name(wrong: Values, where: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        render(wrong)
    assert f"at '{where}'" in str(refused.value)
    assert why in str(refused.value)


def test_an_old_cluster_is_refused() -> None:
    with pytest.raises(Refused, match=r"1\.30"):
        run_helm("template", "tts-operator", CHART, "--kube-version", "1.29.9")
