"""An API served by a pod is part of the cluster's API."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from tests.support.devcluster import Namespace, pod, service

pytestmark = [pytest.mark.devcluster, pytest.mark.timeout(1800)]
GROUP = "probe.devcluster.test"


def test_an_aggregated_api_is_reached_through_its_service(namespace: Namespace, tmp_path: Path) -> None:
    host = f"api.{namespace.name}.svc"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", "tls.key", "-out", "tls.crt"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    certificate = (tmp_path / "tls.crt").read_bytes()
    discovery = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/v1", "resources": []}
    server = pod(
        "api", "/serve", "-listen", ":8443", "-files", "/files", "-cert", "/files/tls.crt", "-key", "/files/tls.key",
        labels={"app": "api"},
        volumeMounts=[{"name": "files", "mountPath": "/files"}],
        readinessProbe={"httpGet": {"path": "/healthz", "port": 8443, "scheme": "HTTPS"}, "periodSeconds": 1},
    )  # fmt: skip
    paths = {"tls.crt": "tls.crt", "tls.key": "tls.key", "discovery": f"apis/{GROUP}/v1"}
    items = [{"key": key, "path": path} for key, path in paths.items()]
    server["spec"]["volumes"] = [{"name": "files", "secret": {"secretName": "files", "items": items}}]
    texts = {"tls.crt": certificate.decode(), "tls.key": (tmp_path / "tls.key").read_text()}
    namespace.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "files"},
         "stringData": {**texts, "discovery": json.dumps(discovery)}},
        server,
        service("api", {"app": "api"}, port=443, target=8443),
    )  # fmt: skip
    namespace.wait("pod/api", "condition=Ready")
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{GROUP}"},
        "spec": {
            "group": GROUP, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "service": {"name": "api", "namespace": namespace.name},
            "caBundle": base64.b64encode(certificate).decode(),
        },
    }  # fmt: skip
    try:
        namespace.apply(registration)
        namespace.wait(f"apiservice/v1.{GROUP}", "condition=Available")
        assert json.loads(namespace.kubectl("get", "--raw", f"/apis/{GROUP}/v1").stdout) == discovery
    finally:
        namespace.kubectl("delete", "apiservice", f"v1.{GROUP}", "--ignore-not-found")
