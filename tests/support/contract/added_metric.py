"""Prints, as JSON, where a metric appears that only a row of the catalogue names: `added_metric.py NAME VALUE FIELD`.

A program of its own, because both programs derive from the catalogue while they are imported.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import start_http_server

from tools import apidoc, metrics
from tools.crd import structural_schema
from ttscontract.metrics import CATALOGUE
from ttsoperator.kube.scrape import Scraper
from ttsoperator.names import Component, pod_labels
from ttsoperator.scaling import hpa
from ttsoperator.servers.custom_metrics import GROUP_VERSION, CustomMetrics
from ttsoperator.spec import TTSServiceSpec, parse
from ttsoperator.watch.store import Cache
from ttsworker.observe.metrics import Metrics

SERVICE: dict[str, Any] = {
    "apiVersion": "tts-operator.io/v1alpha1",
    "kind": "TTSService",
    "metadata": {"name": "english", "namespace": "ns", "uid": "u", "resourceVersion": "1"},
}
POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "english-1",
        "namespace": "ns",
        "uid": "p",
        "resourceVersion": "1",
        "labels": pod_labels("english", Component.WORKER),
    },
    "status": {"podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]},
}


@contextmanager
def worker(name: str, value: float) -> Iterator[int]:
    """A worker whose metric has the value; gives the port of its /metrics."""
    found = Metrics(read_gpu=lambda: None, max_concurrency=1)
    [row] = [row for row in CATALOGUE if row.name == name]
    found._gauges[row].set(value)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=found.registry)
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


async def answers(port: int, *paths: str) -> list[Any]:
    """What the custom metrics API answers."""
    cache = Cache()
    cache.put(SERVICE)
    cache.put(POD)
    scraper = Scraper(port=port, timeout=60)
    async with TestClient(TestServer(CustomMetrics(cache, scraper, lambda _: None).app())) as client:
        found = [await (await client.get(f"/apis/{GROUP_VERSION}{path}")).json() for path in paths]
    await scraper.close()
    return found


def main(name: str, value: float, field: str) -> None:
    """Collect every place and print it."""
    spec = {"model": {"source": "builtin://hibari"}, "autoscaling": {"targets": {field: 7}}}
    service = parse(SERVICE | {"spec": spec})
    assert service.spec.autoscaling is not None
    schema = structural_schema(TTSServiceSpec)["properties"]["autoscaling"]["properties"]["targets"]
    of_service = f"/namespaces/ns/ttsservices.tts-operator.io/english/{name}"
    with worker(name, value) as port:
        resources, by_service, by_pod = asyncio.run(answers(port, "", of_service, f"/namespaces/ns/pods/*/{name}"))
    json.dump(
        {
            "schema": schema["properties"][field],
            "rules": [rule["rule"] for rule in schema["x-kubernetes-validations"]],
            "hpa": hpa.build(service, service.spec.autoscaling)["spec"]["metrics"],
            "resources": [resource["name"] for resource in resources["resources"]],
            "values": [item["value"] for answer in (by_service, by_pod) for item in answer["items"]],
            "rbac": metrics.rules(),
            "page": metrics.page(),
            "fields": apidoc.render(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
