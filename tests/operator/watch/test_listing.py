"""Lists and watch events update the cache and add the changed services to the queue."""

import asyncio
from typing import Any

import pytest

from tests.support.operator.fakes import FakeCluster
from tests.support.virtual_time import now, run
from ttsoperator.children.registry import CHILDREN, Child, watched
from ttsoperator.kube.errors import Refused, Unavailable
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.resources import TTS_SERVICE, Resource
from ttsoperator.names import API_VERSION, CHILD_SELECTOR, KIND, LABEL_SERVICE, Component
from ttsoperator.watch.handlers import on_event
from ttsoperator.watch.listing import Forbidden, Syncer, wait_for_crd
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import WorkQueue

KEY = Key("ns", "english")


def service(namespace: str = "ns") -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "english", "namespace": namespace}}


def pod(name: str = "english-1") -> dict[str, Any]:
    managed, by = CHILD_SELECTOR.split("=")
    labels = {managed: by, LABEL_SERVICE: "english"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "ns", "labels": labels}}


async def woken(queue: WorkQueue[Key]) -> set[Key]:
    """The keys that are due, taken from the queue."""
    keys: set[Key] = set()

    async def handle(key: Key) -> None:
        keys.add(key)

    task = asyncio.ensure_future(queue.run(handle, 1))
    await asyncio.sleep(5)
    task.cancel()
    await asyncio.wait([task])
    return keys


def test_a_sync_fills_the_cache_and_wakes_what_is_there() -> None:
    async def story() -> None:
        cluster, cache, queue = FakeCluster(), Cache(), WorkQueue[Key]()
        cluster.seed(service())
        cluster.seed(pod())
        cluster.seed({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger", "namespace": "ns"}})
        syncer = Syncer(cluster, cache, queue, ())
        before = syncer.synced
        await syncer.sync()
        assert (before, syncer.synced) == (False, True)
        assert cache.services() == [KEY]
        assert [p["metadata"]["name"] for p in cache.pods("ns")] == ["english-1"]
        assert await woken(queue) == {KEY}
        await syncer.sync()
        assert await woken(queue) == set(), "nothing new wakes nobody"

    run(story())


def test_a_later_sync_repairs_what_a_watch_lost() -> None:
    async def story() -> None:
        cluster, cache, queue = FakeCluster(), Cache(), WorkQueue[Key]()
        cluster.seed(service())
        cluster.seed(pod())
        syncer = Syncer(cluster, cache, queue, ())
        await syncer.sync()
        await woken(queue)
        cluster.remove("Pod", "ns", "english-1")
        await syncer.sync()
        assert list(cache.pods("ns")) == []
        assert await woken(queue) == {KEY}

    run(story())


def test_optional_kinds_are_listed_often_and_watched_ones_seldom() -> None:
    gadgets = Resource("Gadget", "gadgets.example/v1", "gadgets", optional=True)
    rows = (*CHILDREN, Child(gadgets, Component.WORKER, "fun", lambda _: None))

    async def story() -> dict[str, list[float]]:
        cluster = FakeCluster()
        cluster.install("gadgets.example/v1", "Gadget")
        listed: dict[str, list[float]] = {"Gadget": [], "Pod": []}

        def note_list(_verb: str, kind: str, _name: str) -> None:
            if kind in listed:
                listed[kind].append(now())

        cluster.refuse = note_list
        task = asyncio.ensure_future(Syncer(cluster, Cache(), WorkQueue(), (), rows).run())
        await asyncio.sleep(400)
        task.cancel()
        await asyncio.wait([task])
        return listed

    assert run(story()) == {"Gadget": [30.0 * n for n in range(1, 14)], "Pod": [30.0, 330.0]}


def test_only_the_chosen_namespaces_are_listed() -> None:
    async def story() -> None:
        cluster, cache = FakeCluster(), Cache()
        for namespace in ("ns", "lab", "other"):
            cluster.seed(service(namespace))
        await Syncer(cluster, cache, WorkQueue(), ("ns", "lab")).sync()
        assert {key.namespace for key in cache.services()} == {"ns", "lab"}

    run(story())


class Guarded(FakeCluster):
    """A cluster that refuses lists in some namespaces, all or those of one kind."""

    def __init__(self, *closed: str, kind: str | None = None) -> None:
        super().__init__()
        self.closed = set(closed)
        self.kind = kind
        self.lists: list[tuple[str, str | None, float]] = []

    async def list_objects(
        self, api_version: str, kind: str, namespace: str | None, **selectors: str
    ) -> tuple[list[Manifest], int]:
        self.lists.append((kind, namespace, now()))
        if namespace in self.closed and self.kind in (None, kind):
            raise Refused(403, f"{kind} is forbidden in {namespace}")
        return await super().list_objects(api_version, kind, namespace, **selectors)


def test_a_namespace_that_is_refused_is_skipped_and_served_once_it_is_not(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        cluster, cache, queue = Guarded("lab"), Cache(), WorkQueue[Key]()
        for namespace in ("ns", "lab"):
            cluster.seed(service(namespace))
        syncer = Syncer(cluster, cache, queue, ("ns", "lab"))
        await syncer.sync()
        assert syncer.synced
        assert syncer.watched_namespaces() == ("ns",)
        assert cache.services() == [KEY]
        assert "skipping the namespace lab: cannot list" in caplog.text
        assert "forbidden in lab" in caplog.text
        task = asyncio.ensure_future(syncer.run())
        await asyncio.sleep(100)
        caplog.clear()
        cluster.closed.clear()
        await asyncio.sleep(31)
        assert set(cache.services()) == {KEY, Key("lab", "english")}
        assert Key("lab", "english") in await woken(queue)
        cluster.seed(pod() | {"metadata": {**pod()["metadata"], "namespace": "lab"}})
        await asyncio.sleep(31)
        assert [each["metadata"]["namespace"] for each in cache.pods("lab")] == ["lab"], (
            "nobody watches it: it is listed"
        )
        assert syncer.watched_namespaces() == ("ns",)
        task.cancel()
        await asyncio.wait([task])

    run(story())
    assert caplog.text.count("skipping") == 0, "a namespace that stays refused is reported once"


@pytest.mark.parametrize("resource", [each for each in watched() if each != TTS_SERVICE], ids=str)
def test_no_service_is_served_of_whose_children_one_kind_cannot_be_listed(resource: Resource) -> None:
    """Its passes would act as if it had none."""

    async def story() -> None:
        cluster, cache, queue = Guarded("lab", kind=resource.kind), Cache(), WorkQueue[Key]()
        for namespace in ("ns", "lab"):
            cluster.seed(service(namespace))
        await Syncer(cluster, cache, queue, ("ns", "lab")).sync()
        assert cache.services() == [KEY]

    run(story())


def test_the_operator_ends_when_every_namespace_is_refused() -> None:
    async def story() -> None:
        syncer = Syncer(Guarded("ns", "lab"), Cache(), WorkQueue[Key](), ("ns", "lab"))
        with pytest.raises(Forbidden, match="forbidden in ns"):
            await syncer.sync()
        assert not syncer.synced

    run(story())


def test_a_missing_right_is_named() -> None:
    async def story() -> None:
        cluster = FakeCluster()
        cluster.refuse = lambda verb, kind, _: (
            Refused(403, "jobs is forbidden") if (verb, kind) == ("list", "Job") else None
        )
        syncer = Syncer(cluster, Cache(), WorkQueue(), ())
        with pytest.raises(Forbidden, match=r"jobs is forbidden.*chart"):
            await syncer.sync()
        assert not syncer.synced

    run(story())


@pytest.mark.parametrize(
    "error", [Refused(404, "the cluster does not serve this API"), Refused(500, "etcdserver: request timed out")]
)
def test_a_list_that_fails_for_another_reason_is_named_and_no_right_is_blamed(error: Refused) -> None:
    async def story() -> None:
        cluster = FakeCluster()
        cluster.refuse = lambda verb, kind, _: error if (verb, kind) == ("list", "HorizontalPodAutoscaler") else None
        with pytest.raises(Forbidden, match=rf"horizontalpodautoscalers\.autoscaling: {error.message}$"):
            await Syncer(cluster, Cache(), WorkQueue(), ()).sync()

    run(story())


def test_a_missing_crd_is_waited_for_and_said_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> float:
        cluster = FakeCluster()
        missing = Refused(404, "the cluster does not serve this API")
        cluster.refuse = lambda *_: None if now() > 100 else (missing if now() > 50 else Unavailable(0, "starting"))
        await wait_for_crd(cluster, None)
        return now()

    assert 100 < run(story()) < 110
    messages = [record.getMessage() for record in caplog.records]
    assert 3 <= len(messages) <= 5
    assert "the API server: starting" in messages[0]
    assert "install the chart, or kubectl apply -f crds/" in messages[-1]


def test_watch_events_update_the_cache_and_wake_the_owner() -> None:
    async def story() -> None:
        cache, queue = Cache(), WorkQueue[Key]()
        obj = pod()
        obj["metadata"] |= {"uid": "u", "resourceVersion": "5"}
        on_event(cache, queue, "ADDED", obj)
        assert await woken(queue) == {KEY}
        on_event(cache, queue, "MODIFIED", obj)
        assert await woken(queue) == set(), "an echo of what is known wakes nobody"
        newer = {**obj, "metadata": {**obj["metadata"], "resourceVersion": "6"}}
        on_event(cache, queue, "MODIFIED", newer)
        assert await woken(queue) == {KEY}
        moved = {
            **newer,
            "metadata": {**newer["metadata"], "resourceVersion": "7", "labels": {LABEL_SERVICE: "german"}},
        }
        on_event(cache, queue, "MODIFIED", moved)
        assert await woken(queue) == {KEY, Key("ns", "german")}, "whose it was must know that it is missing"
        on_event(cache, queue, "MODIFIED", {**newer, "metadata": {**newer["metadata"], "resourceVersion": "8"}})
        await woken(queue)
        on_event(cache, queue, "DELETED", {**newer, "metadata": {**newer["metadata"], "resourceVersion": "9"}})
        assert await woken(queue) == {KEY}
        assert list(cache.pods("ns")) == []

    run(story())
