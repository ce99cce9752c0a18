"""Instruments: the audit log as a stopwatch, the operator's own metrics, and a client that only writes."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubernetes.aio import client, config
from prometheus_client.parser import text_string_to_metric_families

from tests.support.cluster.installed import Operator
from tests.support.cluster.kubectl import Object
from ttscontract.metrics import API_REQUESTS
from ttscontract.pods import METRICS_PATH
from ttsoperator.children.registry import plurals
from ttsoperator.kube.client import Cluster
from ttsoperator.kube.errors import NotFound
from ttsoperator.kube.manifest import Ref, ref

WRITERS = 32
"""Concurrent requests: more do not make one API server faster."""


@dataclass(frozen=True)
class Span:
    """Some writes, as the API server logged them."""

    entries: Sequence[Object]

    def span_seconds(self) -> float:
        """Return the seconds from the first request's arrival to the last one's response."""
        began = min(datetime.fromisoformat(entry["requestReceivedTimestamp"]) for entry in self.entries)
        ended = max(datetime.fromisoformat(entry["stageTimestamp"]) for entry in self.entries)
        return (ended - began).total_seconds()

    def creates(self) -> Span:
        """Return only the creates."""
        return Span([entry for entry in self.entries if entry["verb"] == "create"])

    def verbs(self) -> list[str]:
        """Return the verb of each write."""
        return [entry["verb"] for entry in self.entries]


@dataclass(frozen=True)
class Writes:
    """The audit log: exact times without any request to the API server."""

    log: Path

    def now(self) -> int:
        """Return a mark; later writes are newer."""
        return self.log.stat().st_size

    def of(self, user: str | None, namespace: str, since: int) -> Span:
        """Return the writes to a namespace after a mark, by one user or by all, without Events."""
        with self.log.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]
        entries = [json.loads(line) for line in lines if namespace.encode() in line]
        return Span([
            entry for entry in entries
            if entry["stage"] == "ResponseComplete"
            and (what := entry.get("objectRef", {})).get("namespace") == namespace
            and what.get("resource") not in {"events", "namespaces"}
            and user in {None, entry["user"]["username"]}
        ])  # fmt: skip

    async def settle(self, namespace: str, since: int, creates: int) -> Span:
        """Wait for so many creates of TTSServices and objects with our labels; return them."""
        while True:
            entries = [entry for entry in self.of(None, namespace, since).entries if is_counted(entry)]
            if len(entries) >= creates:
                return Span(entries)
            await asyncio.sleep(0.5)


def is_counted(entry: Object) -> bool:
    """Return whether the operator or this program created the object, not a controller of the cluster."""
    user = entry["user"]["username"]
    by_controller = user.startswith(("system:serviceaccount:kube-system:", "system:kube-"))
    return entry["verb"] == "create" and entry["responseStatus"]["code"] == 201 and not by_controller


@dataclass(frozen=True)
class Moment:
    """The operator's figures at one moment."""

    memory_bytes: float
    cpu_seconds: float
    requests: Counter[str]
    """Requests to the API server so far, by verb."""


def operator_metrics(operator: Operator) -> Moment:
    """Read the leader's metrics from inside its pod."""
    (pod,) = operator.pods()
    [port] = [each["containerPort"] for each in pod["spec"]["containers"][0]["ports"] if each["name"] == "metrics"]
    code = f"import urllib.request as r; print(r.urlopen('http://localhost:{port}{METRICS_PATH}').read().decode())"
    return read_moment(operator.kubectl("exec", pod["metadata"]["name"], "--", "python", "-c", code))


def read_moment(text: str) -> Moment:
    """Parse the needed values from Prometheus text."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    numbers = {sample.name: sample.value for sample in samples}
    requests: Counter[str] = Counter()
    for sample in samples:
        if sample.name == API_REQUESTS.name:
            requests[sample.labels["verb"]] += int(sample.value)
    return Moment(numbers["process_resident_memory_bytes"], numbers["process_cpu_seconds_total"], requests)


async def cluster_client(kubeconfig: Path) -> Cluster:
    """Return an administrator's connection by the operator's own client, so that both sides are equally fast."""
    configuration = client.Configuration()
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    return Cluster(configuration, {**plurals(), "Namespace": "namespaces"})


async def by_raw_client(cluster: Cluster, manifests: Sequence[Object]) -> None:
    """Create all of them, as fast as possible."""
    slots = asyncio.Semaphore(WRITERS)

    async def create(manifest: Object) -> None:
        async with slots:
            await cluster.request("POST", cluster.path(ref(manifest), collection=True), manifest)

    await asyncio.gather(*map(create, manifests))


async def until(cluster: Cluster, target: Ref, test: Callable[[Object | None], bool]) -> float:
    """Return when (by time.monotonic) an object passed a test; polls every 50 ms; a missing object is None."""
    while True:
        try:
            found: Object | None = await cluster.get(target)
        except NotFound:
            found = None
        if test(found):
            return time.monotonic()
        await asyncio.sleep(0.05)


def strip(live: Object) -> Object:
    """Return the manifest of an object without its owner: garbage collection deletes objects with a missing owner."""
    kept = {key: live["metadata"][key] for key in ("name", "labels", "annotations") if key in live["metadata"]}
    manifest = {key: value for key, value in live.items() if key != "status"} | {"metadata": kept}
    if live["kind"] == "Service":
        assigned = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}
        manifest["spec"] = {key: value for key, value in live["spec"].items() if key not in assigned}
    return manifest
