"""Passes of the reconciler over an API server in memory."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prometheus_client import generate_latest

from tests.support.operator.fakes import FakeCluster
from ttsoperator.children.context import Defaults
from ttsoperator.children.registry import watched
from ttsoperator.kube.errors import ApiError
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.scrape import Scraper
from ttsoperator.metrics import Metrics
from ttsoperator.names import CHILD_SELECTOR, KIND
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.reconciler import Reconciler
from ttsoperator.watch.store import Cache, Key

KEY = Key("ns", "english")
BUILTIN = {"model": {"source": "builtin://hibari"}}
CHILDREN = {"ServiceAccount", "ConfigMap", "Service", "Deployment"}


def service(spec: Manifest = BUILTIN, **metadata: Any) -> Manifest:
    meta = {"name": "english", "namespace": "ns", "generation": 1} | metadata
    return {"apiVersion": "tts-operator.io/v1alpha1", "kind": KIND, "metadata": meta, "spec": copy.deepcopy(spec)}


class World:
    """A cluster, and an operator in front of it that may be replaced at any time."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.time = datetime(2026, 1, 1, tzinfo=UTC)
        self.leading = True
        self.restart()

    def restart(self) -> None:
        """Start another operator, which knows nothing but what it lists."""
        self.cache = Cache()
        self.metrics = Metrics()
        self.reconciler = Reconciler(
            cluster=self.cluster,
            cache=self.cache,
            observer=Observer(self.cluster, Scraper(port=1)),
            defaults=Defaults("worker:1", "IfNotPresent"),
            metrics=self.metrics,
            may_write=lambda: self.leading,
            now=lambda: self.time,
        )

    async def watch(self) -> None:
        """Let the cache catch up."""
        for kind in watched():
            selector = {} if kind.kind == KIND else {"labelSelector": CHILD_SELECTOR}
            found, version = await self.cluster.list_objects(kind.api_version, kind.kind, None, **selector)
            self.cache.replace(kind.kind, None, found, version)

    async def reconcile(self) -> float | None:
        await self.watch()
        return await self.reconciler.reconcile(KEY)

    async def settle(self) -> None:
        """Pass after pass until one writes nothing."""
        for _ in range(10):
            self.cluster.writes.clear()
            await self.reconcile()
            if not self.cluster.writes:
                return
        raise AssertionError(f"passes never end: {self.cluster.writes}")

    def object(self, kind: str, name: str = "english") -> Manifest:
        return self.cluster.objects[kind, "ns", name]

    def config_map(self) -> Manifest:
        """The only ConfigMap."""
        [found] = [obj for (kind, _, _), obj in self.cluster.objects.items() if kind == "ConfigMap"]
        return found

    def condition(self, kind: str) -> Manifest:
        conditions = self.object(KIND)["status"]["conditions"]
        return next(c for c in conditions if c["type"] == kind)

    def events(self) -> list[Manifest]:
        return [obj for (kind, _, _), obj in self.cluster.objects.items() if kind == "Event"]

    def count(self, result: str) -> str:
        lines = generate_latest(self.metrics.registry).decode().splitlines()
        return next(line.split()[-1] for line in lines if f'reconciles_total{{result="{result}"}}' in line)

    def workers_become_ready(self) -> None:
        """What the Deployment controller and the kubelet do."""
        deployment = copy.deepcopy(self.object("Deployment"))
        deployment["metadata"]["generation"] = 1
        replicas = deployment["spec"].get("replicas", 1)
        counts = {
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
        }
        deployment["status"] = counts | {"observedGeneration": 1}
        self.cluster.seed(deployment)
        pod = copy.deepcopy(deployment["spec"]["template"])
        pod["metadata"] |= {"name": "english-1", "namespace": "ns"}
        pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        self.cluster.seed({**pod, "apiVersion": "v1", "kind": "Pod"})


def refusing(verb: str, kind: str, error: ApiError) -> Callable[[str, str, str], ApiError | None]:
    return lambda v, k, _: error if (v, k) == (verb, kind) else None
