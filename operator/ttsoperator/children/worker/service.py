"""Service in front of the workers."""

from typing import Any

from ttscontract.pods import HTTP_PORT, METRICS_PORT
from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import annotated, metadata, with_applied_hash
from ttsoperator.spec import ServiceType


def build(context: Context) -> Manifest:
    """Return the Service. A Service that is reachable from outside the cluster does not expose the metrics port."""
    service = context.service
    options = service.spec.service
    ports: list[dict[str, Any]] = [_port("http", HTTP_PORT)]
    if options.type is ServiceType.CLUSTER_IP:
        ports.append(_port("metrics", METRICS_PORT))
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(service, names.service_name(service.name), names.Component.WORKER),
        "spec": {"type": options.type.value, "selector": names.worker_selector(service.name), "ports": ports},
    }
    return with_applied_hash(annotated(manifest, options.annotations or {}))


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "port": number, "targetPort": name, "protocol": "TCP"}
