"""`make bench-operator`: measures what the operator adds to the time of the cluster and of a worker.

Every figure has a reference from the same run on the same machine; the benchmark reports ratios and asserts nothing.
Writes docs/bench/operator.json and prints the table. Run from the repository's root: `python -m bench.operator`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.devcluster import warm_start
from bench.measuring import (
    Moment,
    Writes,
    by_raw_client,
    cluster_client,
    operator_metrics,
    strip,
    until,
)
from bench.report import Row, say, table, write_results
from tests.support.cluster import setup
from tests.support.cluster.installed import NAMESPACE, USER, Operator
from tests.support.cluster.kubectl import ROOT, Kubectl, Object
from tests.support.cluster.manifests import tts_service
from tests.support.cluster.tenant import Tenant
from ttsoperator.kube.client import Cluster, service_ref
from ttsoperator.kube.manifest import Ref

ROUNDS = int(os.environ.get("TTS_BENCH_ROUNDS", "3"))
MANY = int(os.environ.get("TTS_BENCH_SERVICES", "100"))
RESULTS = ROOT / "docs/bench/operator.json"


async def apply_to_ready(kubectl: Kubectl, cluster: Cluster, writes: Writes) -> list[Row]:
    """Compare one service, with image and model present, with the same children written by hand."""
    total: list[float] = []
    first: list[float] = []
    last: list[float] = []
    alone: list[float] = []
    for number in range(ROUNDS):
        say(f"apply to Ready, {number + 1} of {ROUNDS}")
        with setup.namespace(kubectl, "bench-one") as namespace:
            tenant = Tenant(kubectl.kubeconfig, namespace)
            mark = writes.now()
            began = time.monotonic()
            await by_raw_client(cluster, [{**tts_service("one"), "metadata": {"name": "one", "namespace": namespace}}])
            serving = await until(cluster, Ref("apps/v1", "Deployment", namespace, "one"), is_available)
            ready = await until(cluster, service_ref(namespace, "one"), is_ready)
            total.append(ready - began)
            last.append(ready - serving)
            first.append(writes.of(USER, namespace, mark).creates().span_seconds())
            children = [strip(child) for child in tenant.children("one")]
        with setup.namespace(kubectl, "bench-raw") as namespace:
            began = time.monotonic()
            await by_raw_client(cluster, [moved(child, namespace) for child in children])
            by_hand = await until(cluster, Ref("apps/v1", "Deployment", namespace, "one"), is_available)
            alone.append(by_hand - began)
    reference = statistics.median(alone)
    return [
        Row("apply to Ready", statistics.median(total), "s", "same children by hand to a ready worker", reference),
        Row("  first to last child written", statistics.median(first), "s"),
        Row("  worker ready to status Ready", statistics.median(last), "s"),
    ]


async def many_services(kubectl: Kubectl, cluster: Cluster, operator: Operator, writes: Writes) -> list[Row]:
    """Compare many services without workers, from the first apply to the last child written, with a raw client."""
    with setup.namespace(kubectl, "bench-template") as namespace:
        tenant = Tenant(kubectl.kubeconfig, namespace)
        tenant.serve("one", replicas=0)
        tenant.until_ready("one")
        template = [strip(child) for child in tenant.children("one")]
        before = operator_metrics(operator)
    by_operator: list[float] = []
    by_hand: list[float] = []
    requests: Counter[str] = Counter()
    written: Counter[str] = Counter()
    memory, cpu = 0.0, 0.0
    for number in range(ROUNDS):
        say(f"{MANY} services with {len(template)} children each, {number + 1} of {ROUNDS}")
        with setup.namespace(kubectl, "bench-many") as namespace:
            earlier = operator_metrics(operator)
            mark = writes.now()
            services = [tts_service(f"s{index}", replicas=0) for index in range(MANY)]
            await by_raw_client(cluster, [moved(service, namespace) for service in services])
            done = await writes.settle(namespace, mark, creates=MANY * (1 + len(template)))
            by_operator.append(done.span_seconds())
            later = await settled(operator)
            memory = max(memory, later.memory_bytes)
            cpu = later.cpu_seconds - earlier.cpu_seconds
            requests = later.requests - earlier.requests
            written = Counter(writes.of(USER, namespace, mark).verbs())
        await gone(cluster, namespace)
        by_hand.append(await raw_seconds(kubectl, cluster, template, writes))
    del requests["PUT"]  # renewals of the Lease, whose number depends on time, not on services
    return [
        Row(f"{MANY} services, apply to all children written", statistics.median(by_operator), "s",
            "same children by a raw client", statistics.median(by_hand)),
        Row(f"  operator's CPU for {MANY} services", cpu, "s"),
        Row("API writes per service", sum(written.values()) / MANY, "", "children", float(len(template))),
        Row("API requests per service, reads included", sum(requests.values()) / MANY, ""),
        Row("operator's memory, 1 service", before.memory_bytes / 1e6, "MB"),
        Row(f"operator's memory, {MANY} services", memory / 1e6, "MB", "1 service", before.memory_bytes / 1e6),
    ]  # fmt: skip


async def raw_seconds(kubectl: Kubectl, cluster: Cluster, template: list[Object], writes: Writes) -> float:
    """Return how long the same children take when a raw client writes them as fast as possible."""
    with setup.namespace(kubectl, "bench-raw") as namespace:
        mark = writes.now()
        copies = [moved(child, namespace, f"s{index}") for index in range(MANY) for child in template]
        await by_raw_client(cluster, copies)
        done = await writes.settle(namespace, mark, creates=len(copies))
    await gone(cluster, namespace)
    return done.span_seconds()


async def settled(operator: Operator) -> Moment:
    """Return the operator's figures once it sends no more requests to the API server."""
    earlier = operator_metrics(operator)
    while True:
        await asyncio.sleep(2)
        later = operator_metrics(operator)
        if later.requests.total() - earlier.requests.total() <= 4:  # it renews its Lease every two seconds
            return later
        earlier = later


async def gone(cluster: Cluster, namespace: str) -> None:
    """Wait until a namespace is deleted, so that the deletion does not disturb the next measurement."""
    await until(cluster, Ref("v1", "Namespace", "", namespace), lambda found: found is None)


def moved(manifest: Object, namespace: str, name: str | None = None) -> Object:
    """Return a copy for another namespace; `name` replaces the template's name, `one`, everywhere."""
    text = json.dumps(manifest)
    if name:
        text = text.replace('"one"', f'"{name}"').replace('"one-', f'"{name}-')
    copy: Object = json.loads(text)
    copy["metadata"]["namespace"] = namespace
    return copy


def is_available(found: Object | None) -> bool:
    """Return whether a Deployment has a ready pod."""
    return bool(found and found.get("status", {}).get("readyReplicas"))


def is_ready(found: Object | None) -> bool:
    """Return whether a TTSService is Ready."""
    conditions: list[Any] = (found or {}).get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def measure() -> list[Row]:
    """Measure everything on one cluster, with the operator installed by its chart."""
    kubectl = Kubectl(setup.kubeconfig())
    audit = setup.audit_log()
    setup.install(kubectl)
    operator = Operator(kubectl.within(NAMESPACE), audit)
    operator.until_running(1)
    writes = Writes(audit.path)
    async with await cluster_client(kubectl.kubeconfig) as cluster:
        rows = await many_services(kubectl, cluster, operator, writes)
        return await apply_to_ready(kubectl, cluster, writes) + rows


def main() -> None:
    """Measure, write, print."""
    rows = asyncio.run(measure())
    if not setup.is_prepared():
        with tempfile.TemporaryDirectory() as folder:
            seconds, memory = warm_start(Path(folder) / "state")
        rows += [
            Row("devcluster, warm start to node Ready", seconds, "s"),
            Row("devcluster, memory of all its parts", memory / 1e6, "MB"),
        ]
    write_results(RESULTS, rows, services=MANY)
    print(table(rows))


if __name__ == "__main__":
    main()
