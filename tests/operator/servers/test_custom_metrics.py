"""custom.metrics.k8s.io over real TLS, with the certificates an API server would use, and real exporters behind it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.support.certificates import Authority
from tests.support.program import free_port
from ttsoperator.kube.scrape import Scraper
from ttsoperator.names import CHILD_SELECTOR, LABEL_COMPONENT, LABEL_SERVICE
from ttsoperator.servers.custom_metrics import GROUP_VERSION, CustomMetrics
from ttsoperator.servers.front_proxy import AggregatedServer, FrontProxy, NotServable
from ttsoperator.watch.store import Cache

SERVICE = f"/apis/{GROUP_VERSION}/namespaces/ns/ttsservices.tts-operator.io/english"
PODS = f"/apis/{GROUP_VERSION}/namespaces/ns/pods"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Serving CA and front-proxy CA, a certificate of each kind and some that must not do."""
    folder = tmp_path_factory.mktemp("pki")
    serving, proxy, evil = (Authority(folder, name) for name in ("serving-ca", "proxy-ca", "evil-ca"))
    serving.sign("tts-operator", "tls")
    serving.sign("tts-operator", "renewed")
    proxy.sign("front-proxy-client", "client")
    proxy.sign("somebody-else", "stranger")
    evil.sign("front-proxy-client", "forged")
    return folder


def worker(name: str, *, ready: bool = True, component: str = "worker") -> dict[str, Any]:
    managed, by = CHILD_SELECTOR.split("=")
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "ns",
            "uid": name,
            "resourceVersion": "5",
            "labels": {managed: by, LABEL_SERVICE: "english", LABEL_COMPONENT: component},
        },
        "status": {"podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


@pytest.fixture
def cache() -> Cache:
    cache = Cache()
    meta = {"name": "english", "namespace": "ns", "uid": "s", "resourceVersion": "1"}
    cache.put({"kind": "TTSService", "metadata": meta})
    return cache


class Gauges:
    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.queue = Gauge("tts_queue_depth", "Waiting", registry=registry)
        self.gpu = Gauge("tts_gpu_utilization_ratio", "GPU", registry=registry)
        self.server, self.thread = start_http_server(0, addr="127.0.0.1", registry=registry)


@pytest.fixture
def gauges() -> Iterator[Gauges]:
    gauges = Gauges()
    yield gauges
    gauges.server.shutdown()
    gauges.server.server_close()
    gauges.thread.join()


class Api:
    """The server under test and, through `get`, an API server that proxies to it."""

    def __init__(self, pki: Path, cert_dir: Path) -> None:
        self.pki = pki
        self.cert_dir = cert_dir
        self.port = free_port()
        self.front_proxy = FrontProxy((pki / "proxy-ca.crt").read_text(), frozenset({"front-proxy-client"}))
        self.server = AggregatedServer(cert_dir, self.port, self._load)

    async def _load(self) -> FrontProxy:
        return self.front_proxy

    def context(self, client: str | None, ca: str = "serving-ca") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki / f"{ca}.crt"))
        if client:
            context.load_cert_chain(self.pki / f"{client}.crt", self.pki / f"{client}.key")
        return context

    async def get(self, path: str, client: str | None = "client", **query: str) -> tuple[int, dict[str, Any]]:
        connector = aiohttp.TCPConnector(ssl=self.context(client))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"https://127.0.0.1:{self.port}{path}", params=query) as response,
        ):
            body: dict[str, Any] = await response.json()
            if response.status >= 400:
                assert body["kind"] == "Status"
                assert body["code"] == response.status
            return response.status, body


@asynccontextmanager
async def serving(api: Api, cache: Cache, scraper: Scraper) -> AsyncIterator[None]:
    task = asyncio.ensure_future(api.server.run(CustomMetrics(cache, scraper, api.server.authenticate).app()))
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", api.port)
            writer.close()
            break
        assert not task.done()
        await asyncio.sleep(0.02)
    yield
    task.cancel()
    await asyncio.wait([task])
    await scraper.close()


@pytest.fixture
async def api(pki: Path, tmp_path: Path, cache: Cache, gauges: Gauges) -> AsyncIterator[Api]:
    use_certificate(pki, "tls", tmp_path)
    api = Api(pki, tmp_path)
    async with serving(api, cache, Scraper(port=gauges.server.server_port, timeout=60)):
        yield api


def use_certificate(pki: Path, name: str, folder: Path) -> None:
    for suffix in ("crt", "key"):
        (folder / f"tls.{suffix}").write_bytes((pki / f"{name}.{suffix}").read_bytes())


async def test_a_services_queue_is_the_sum_over_its_ready_workers(api: Api, cache: Cache, gauges: Gauges) -> None:
    gauges.queue.set(2.5)
    for pod in (worker("a"), worker("b"), worker("starting", ready=False), worker("download", component="model")):
        cache.put(pod)
    status, answer = await api.get(f"{SERVICE}/tts_queue_depth")
    assert status == 200
    assert (answer["kind"], answer["apiVersion"]) == ("MetricValueList", GROUP_VERSION)
    (item,) = answer["items"]
    assert item["describedObject"] == {
        "kind": "TTSService", "namespace": "ns", "name": "english", "apiVersion": "tts-operator.io/v1alpha1",
    }  # fmt: skip
    assert item["metric"] == {"name": "tts_queue_depth"}
    assert item["value"] == "5"
    assert item["timestamp"].endswith("Z")


async def test_each_pod_has_its_own_value(api: Api, cache: Cache, gauges: Gauges) -> None:
    gauges.gpu.set(0.823)
    for pod in (worker("a"), worker("b"), worker("c", ready=False)):
        cache.put(pod)
    wanted = f"{LABEL_COMPONENT}=worker,{LABEL_SERVICE}=english"
    status, answer = await api.get(f"{PODS}/*/tts_gpu_utilization_ratio", labelSelector=wanted)
    assert status == 200
    assert {(i["describedObject"]["name"], i["value"]) for i in answer["items"]} == {("a", "823m"), ("b", "823m")}
    assert {i["describedObject"]["kind"] for i in answer["items"]} == {"Pod"}
    status, answer = await api.get(f"{PODS}/b/tts_gpu_utilization_ratio")
    assert [i["describedObject"]["name"] for i in answer["items"]] == ["b"]


async def test_a_ready_worker_that_does_not_answer_is_an_error_and_not_a_smaller_number(api: Api, cache: Cache) -> None:
    silent = worker("silent")
    silent["status"]["podIP"] = "127.0.0.2"  # nobody listens there
    cache.put(worker("a"))
    cache.put(silent)
    for path in (f"{SERVICE}/tts_queue_depth", f"{PODS}/*/tts_queue_depth"):
        status, answer = await api.get(path)
        assert status == 503
        assert "silent" in answer["message"]
        assert answer["reason"] == "ServiceUnavailable"


async def test_no_ready_worker_is_an_error_and_not_a_zero(api: Api, cache: Cache) -> None:
    status, answer = await api.get(f"{SERVICE}/tts_queue_depth")
    assert status == 503
    assert "no ready worker" in answer["message"]
    cache.put(worker("a", ready=False))
    assert (await api.get(f"{PODS}/*/tts_queue_depth"))[0] == 503


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{SERVICE}/tts_made_up", 404),
        (SERVICE.replace("english", "german") + "/tts_queue_depth", 404),
        (f"{PODS}/*/tts_made_up", 404),
        (f"{PODS}/nobody/tts_queue_depth", 404),
        (f"/apis/{GROUP_VERSION}/namespaces/ns/deployments.apps/english/tts_queue_depth", 404),
        (f"/apis/{GROUP_VERSION}/nodes/n/tts_queue_depth", 404),
        ("/", 404),
        (f"{PODS}/*/tts_queue_depth?labelSelector=a%20b", 400),
        (f"{SERVICE}/tts_queue_depth?metricLabelSelector=a%3Db", 400),
    ],
)
async def test_a_refused_request_gets_a_status(api: Api, cache: Cache, path: str, status: int) -> None:
    cache.put(worker("a"))
    found, answer = await api.get(path)
    assert found == status
    assert answer["message"]


async def test_discovery_names_every_metric(api: Api) -> None:
    _, groups = await api.get("/apis")
    assert [g["name"] for g in groups["groups"]] == ["custom.metrics.k8s.io"]
    _, group = await api.get("/apis/custom.metrics.k8s.io")
    assert group["preferredVersion"]["groupVersion"] == GROUP_VERSION
    status, resources = await api.get(f"/apis/{GROUP_VERSION}")
    assert status == 200
    assert resources["kind"] == "APIResourceList"
    names = {r["name"] for r in resources["resources"]}
    assert {"ttsservices.tts-operator.io/tts_queue_depth", "pods/tts_gpu_utilization_ratio"} <= names
    assert all(r["namespaced"] and r["verbs"] == ["get"] for r in resources["resources"])


async def test_only_the_front_proxy_has_access(api: Api, cache: Cache) -> None:
    cache.put(worker("a"))
    status, answer = await api.get(f"{SERVICE}/tts_queue_depth", client=None)
    assert status == 401
    assert "front-proxy client certificate is required" in answer["message"]
    status, answer = await api.get(f"{SERVICE}/tts_queue_depth", client="stranger")
    assert status == 401
    assert "somebody-else" in answer["message"]
    with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
        await api.get(f"{SERVICE}/tts_queue_depth", client="forged")
    assert (await api.get(f"/apis/{GROUP_VERSION}", client=None))[0] == 401


async def test_a_renewed_certificate_and_a_new_front_proxy_ca_are_taken_up_while_serving(
    api: Api, cache: Cache, gauges: Gauges
) -> None:
    gauges.queue.set(1)
    cache.put(worker("a"))

    async def serial() -> str:
        _, writer = await asyncio.open_connection("127.0.0.1", api.port, ssl=api.context("client"))
        certificate = writer.get_extra_info("peercert")
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        return str(certificate["serialNumber"])

    before = await serial()
    use_certificate(api.pki, "renewed", api.cert_dir)
    await api.server.refresh()
    assert await serial() != before
    assert (await api.get(f"{SERVICE}/tts_queue_depth"))[0] == 200

    api.front_proxy = FrontProxy((api.pki / "evil-ca.crt").read_text(), frozenset())
    await api.server.refresh()
    assert (await api.get(f"{SERVICE}/tts_queue_depth", client="forged"))[0] == 200
    with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
        await api.get(f"{SERVICE}/tts_queue_depth", client="client")


async def test_a_broken_certificate_is_refused_and_the_old_one_serves_on(
    api: Api, cache: Cache, gauges: Gauges
) -> None:
    gauges.queue.set(1)
    cache.put(worker("a"))
    (api.cert_dir / "tls.crt").write_text("half a certif")
    with pytest.raises(NotServable):
        await api.server.refresh()
    assert (await api.get(f"{SERVICE}/tts_queue_depth"))[0] == 200
