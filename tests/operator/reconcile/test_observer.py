"""What a pass asks pods and the API server for: seldom, and only when it can matter."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.support.operator.fakes import FakeCluster
from ttsoperator.children.model.download import PROGRESS_SECONDS
from ttsoperator.kube.errors import Refused
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.scrape import Scraper
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.names import API_VERSION, KIND, TEMPLATE_HASH, Component, pod_labels
from ttsoperator.reconcile.observer import CLAIM_SECONDS, FACTS_RETRY_SECONDS, Observer
from ttsoperator.reconcile.status.observed import Observed, Progress, Voice, WorkerFacts
from ttsoperator.spec import TTSService, parse
from ttsoperator.watch.store import Key

KEY = Key("ns", "english")


class Exporter:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.server, self.thread = start_http_server(0, addr="127.0.0.1", registry=self.registry)
        self.asked: list[str] = []

    def gauge(self, name: str, value: float) -> Gauge:
        gauge = Gauge(name, name, registry=self.registry)
        gauge.set(value)
        return gauge


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    exporter = Exporter()
    yield exporter
    exporter.server.shutdown()
    exporter.server.server_close()
    exporter.thread.join()


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def service() -> TTSService:
    meta = {"name": "english", "namespace": "ns", "uid": "u", "generation": 1}
    return parse(
        {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": {"model": {"source": "builtin://hibari"}}}
    )


def pod(
    component: Component, *, ready: bool = False, phase: str = "Running", name: str = "p", made: int = 1
) -> Manifest:
    status = {"phase": phase, "podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": str(ready)}]}
    meta = {"name": name, "namespace": "ns", "labels": pod_labels("english", component)}
    return {"kind": "Pod", "metadata": meta | {"creationTimestamp": f"2026-01-0{made}T00:00:00Z"}, "status": status}


def rolled_out(*pods: Manifest) -> Observed:
    """Workers of the wanted template: then their facts are worth asking for."""
    template = {"metadata": {"annotations": {TEMPLATE_HASH: "t"}}}
    meta = {"name": "english", "labels": pod_labels("english", Component.WORKER)}
    deployment = {"kind": "Deployment", "metadata": meta, "spec": {"template": template}}
    for pod in pods:
        pod["metadata"]["annotations"] = {TEMPLATE_HASH: "t"}
    return Observed(Snapshot(children={("Deployment", "english"): deployment}, pods=pods), desired=[deployment])


def claim(phase: str) -> Manifest:
    meta = {"name": "english-model", "namespace": "ns", "uid": "c"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "status": {"phase": phase}}


async def test_download_progress_is_read_from_the_jobs_pod_at_most_once_in_five_seconds(exporter: Exporter) -> None:
    done = exporter.gauge("tts_model_download_bytes", 100)
    exporter.gauge("tts_model_download_total_bytes", 1000)
    time, scraper = Time(), Scraper(exporter.asked.append, port=exporter.server.server_port, timeout=60)
    observer = Observer(FakeCluster(), scraper, time)
    observed = Observed(Snapshot(pods=[pod(Component.MODEL)]))
    found, again = await observer.complete(KEY, service(), observed, {})
    assert found.download == Progress(100, 1000)
    assert again == PROGRESS_SECONDS
    done.set(500)
    time.now = PROGRESS_SECONDS - 0.1
    found, _ = await observer.complete(KEY, service(), observed, {})
    assert found.download == Progress(100, 1000)
    assert len(exporter.asked) == 1
    time.now = PROGRESS_SECONDS
    found, _ = await observer.complete(KEY, service(), observed, {})
    assert found.download == Progress(500, 1000)
    await scraper.close()


async def test_an_unknown_size_is_no_size(exporter: Exporter) -> None:
    exporter.gauge("tts_model_download_bytes", 100)
    scraper = Scraper(port=exporter.server.server_port, timeout=60)
    found, _ = await Observer(FakeCluster(), scraper).complete(
        KEY, service(), Observed(Snapshot(pods=[pod(Component.MODEL)])), {}
    )
    assert found.download == Progress(100, None)
    await scraper.close()


async def test_an_unreachable_download_has_unknown_progress() -> None:
    scraper = Scraper(port=1)
    for phase, expected in (("Running", PROGRESS_SECONDS), ("Succeeded", None)):
        observed = Observed(Snapshot(pods=[pod(Component.MODEL, phase=phase)]))
        found, again = await Observer(FakeCluster(), scraper).complete(KEY, service(), observed, {})
        assert found.download is None
        assert again == expected
    await scraper.close()


async def test_the_newest_ready_worker_reports_voices_and_benchmark_once(exporter: Exporter) -> None:
    voices = Gauge("tts_voice_info", "Voices", ["voice", "language"], registry=exporter.registry)
    for voice in ("bob", "amy"):
        voices.labels(voice, "en").set(1)
    exporter.gauge("tts_warmup_real_time_factor", 0.014)
    scraper = Scraper(exporter.asked.append, port=exporter.server.server_port, timeout=60)
    observer = Observer(FakeCluster(), scraper)
    dead = pod(Component.WORKER, ready=True, name="old", made=1)
    dead["status"]["podIP"] = None
    observed = rolled_out(dead, pod(Component.WORKER, ready=True, name="new", made=2))
    found, _ = await observer.complete(KEY, service(), observed, {})
    assert found.facts == WorkerFacts((Voice("amy", "en"), Voice("bob", "en")), 0.014, None)
    known = {"voices": [], "observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}
    found, again = await observer.complete(KEY, service(), observed, known)
    assert (found.facts, again, exporter.asked) == (None, None, ["answered"])
    await scraper.close()


async def test_a_worker_that_is_not_ready_gets_no_request(exporter: Exporter) -> None:
    scraper = Scraper(exporter.asked.append, port=exporter.server.server_port, timeout=60)
    observed = rolled_out(pod(Component.WORKER, ready=False))
    found, again = await Observer(FakeCluster(), scraper).complete(KEY, service(), observed, {})
    assert (found.facts, again, exporter.asked) == (None, None, [])
    await scraper.close()


async def test_an_unreachable_worker_is_asked_later() -> None:
    results: list[str] = []
    time, scraper = Time(), Scraper(results.append, port=1)
    observer = Observer(FakeCluster(), scraper, time)
    observed = rolled_out(pod(Component.WORKER, ready=True))
    for _ in range(3):
        found, again = await observer.complete(KEY, service(), observed, {})
        assert (found.facts, again) == (None, FACTS_RETRY_SECONDS)
    assert results == ["failed"]
    time.now = FACTS_RETRY_SECONDS
    await observer.complete(KEY, service(), observed, {})
    assert results == ["failed", "failed"]
    observer.forget(KEY)
    await observer.complete(KEY, service(), observed, {})
    assert len(results) == 3
    await scraper.close()


async def test_an_unbound_claim_is_explained_by_storage_classes_and_warnings() -> None:
    cluster = FakeCluster()
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    for name, annotations in (("fast", {}), ("slow", default)):
        meta = {"name": name, "namespace": "", "annotations": annotations}
        cluster.seed({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": meta})
    for n, message in enumerate(("first", "second")):
        meta = {"name": f"e{n}", "namespace": "ns"}
        cluster.seed(
            {"apiVersion": "v1", "kind": "Event", "metadata": meta, "message": message, "lastTimestamp": f"{n}"}
        )
    scraper = Scraper(port=1)
    observed = Observed(Snapshot(children={("PersistentVolumeClaim", "english-model"): claim("Pending")}))
    found, again = await Observer(cluster, scraper).complete(KEY, service(), observed, {})
    assert found.storage_classes == {"fast": False, "slow": True}
    assert list(found.claim_events) == ["first", "second"]
    assert again == CLAIM_SECONDS


async def test_hints_that_may_not_be_read_are_left_out() -> None:
    cluster = FakeCluster()
    cluster.refuse = lambda verb, kind, _: Refused(403, "no") if (verb, kind) == ("list", "StorageClass") else None
    observed = Observed(Snapshot(children={("PersistentVolumeClaim", "english-model"): claim("Pending")}))
    found, _ = await Observer(cluster, Scraper(port=1)).complete(KEY, service(), observed, {})
    assert found.storage_classes is None


async def test_a_bound_claim_asks_nothing() -> None:
    cluster = FakeCluster()
    cluster.refuse = lambda *_: Refused(403, "nobody may ask")
    observed = Observed(Snapshot(children={("PersistentVolumeClaim", "english-model"): claim("Bound")}))
    found, again = await Observer(cluster, Scraper(port=1)).complete(KEY, service(), observed, {})
    assert (found, again) == (observed, None)
