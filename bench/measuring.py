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
from ttsoperator.children.registry import plurals
from ttsoperator.kube.client import Cluster, NotFound
from ttsoperator.kube.manifest import Ref, ref

WRITERS = 32
"""Requests under way at once: more does not make one API server any faster."""


@dataclass(frozen=True)
class Span:
    """Some writes, as the API server saw them."""

    entries: Sequence[Object]

    def span_seconds(self) -> float:
        """From the arrival of the first request to the answer to the last."""
        began = min(datetime.fromisoformat(entry["requestReceivedTimestamp"]) for entry in self.entries)
        ended = max(datetime.fromisoformat(entry["stageTimestamp"]) for entry in self.entries)
        return (ended - began).total_seconds()

    def creates(self) -> Span:
        """Only those that made an object."""
        return Span([entry for entry in self.entries if entry["verb"] == "create"])

    def verbs(self) -> list[str]:
        """What was done, one word each."""
        return [entry["verb"] for entry in self.entries]


@dataclass(frozen=True)
class Writes:
    """The audit log: exact times without asking the API server anything."""

    log: Path

    def now(self) -> int:
        """A mark: what follows is newer."""
        return self.log.stat().st_size

    def of(self, user: str | None, namespace: str, since: int) -> Span:
        """What was written into a namespace after a mark, by one user or by all; Events left out."""
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
        """Wait for so many creates of what carries our labels or is a TTSService; they are what is returned."""
        while True:
            entries = [entry for entry in self.of(None, namespace, since).entries if is_counted(entry)]
            if len(entries) >= creates:
                return Span(entries)
            await asyncio.sleep(0.5)


def is_counted(entry: Object) -> bool:
    """Whether this is a create by the operator or by this program, and not by a controller of the cluster."""
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
    code = "import urllib.request as r; print(r.urlopen('http://localhost:9090/metrics').read().decode())"
    (pod,) = operator.pods()
    return read_moment(operator.kubectl("exec", pod["metadata"]["name"], "--", "python", "-c", code))


def read_moment(text: str) -> Moment:
    """Take what is needed from Prometheus text."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    numbers = {sample.name: sample.value for sample in samples}
    requests: Counter[str] = Counter()
    for sample in samples:
        if sample.name == API_REQUESTS.name:
            requests[sample.labels["verb"]] += int(sample.value)
    return Moment(numbers["process_resident_memory_bytes"], numbers["process_cpu_seconds_total"], requests)


async def cluster_client(kubeconfig: Path) -> Cluster:
    """The administrator's connection, by the operator's own client: the same speed for both sides."""
    configuration = client.Configuration()
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
    return Cluster(configuration, {**plurals(), "Namespace": "namespaces"})


async def by_raw_client(cluster: Cluster, manifests: Sequence[Object]) -> None:
    """Create all of them, as fast as it goes."""
    slots = asyncio.Semaphore(WRITERS)

    async def create(manifest: Object) -> None:
        async with slots:
            await cluster.request("POST", cluster.path(ref(manifest), collection=True), manifest)

    await asyncio.gather(*map(create, manifests))


async def until(cluster: Cluster, target: Ref, test: Callable[[Object | None], bool]) -> float:
    """When (by time.monotonic) an object passed a test; asked every 50 ms, None stands for an object not there."""
    while True:
        try:
            found: Object | None = await cluster.get(target)
        except NotFound:
            found = None
        if test(found):
            return time.monotonic()
        await asyncio.sleep(0.05)


def strip(live: Object) -> Object:
    """The manifest that an object was made from, its owner left out: without it there, it would be collected."""
    kept = {key: live["metadata"][key] for key in ("name", "labels", "annotations") if key in live["metadata"]}
    manifest = {key: value for key, value in live.items() if key != "status"} | {"metadata": kept}
    if live["kind"] == "Service":
        assigned = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}
        manifest["spec"] = {key: value for key, value in live["spec"].items() if key not in assigned}
    return manifest
