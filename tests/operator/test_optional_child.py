"""A child of an add-on's API needs only one row, and the API may appear and disappear while the operator runs."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.operator.fakes import FakeCluster
from tests.support.operator.gadget import GADGET, GADGETS
from tests.support.operator.schema import problems
from tests.support.operator.status import SCHEMA
from ttscontract.reasons import Reason
from ttsoperator.children.context import Defaults
from ttsoperator.children.registry import CHILDREN
from ttsoperator.kube.errors import ApiError, Refused, Unavailable
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.scrape import Scraper
from ttsoperator.metrics import Metrics
from ttsoperator.names import API_VERSION, KIND
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.reconciler import Reconciler
from ttsoperator.watch.listing import Syncer
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import Retry, WorkQueue

KEY = Key("ns", "english")


class Queue(WorkQueue[Key]):
    """A work queue that shows who was woken."""

    def __init__(self) -> None:
        super().__init__()
        self.woken: set[Key] = set()

    def add(self, key: Key, after: float = 0.0) -> None:
        assert after == 0
        self.woken.add(key)


class World:
    """A cluster without the add-on, and the operator's listing, store and reconciler before it."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.cluster.uninstall(GADGETS)
        self.queue = Queue()
        rows, cache = (GADGET, *CHILDREN), Cache()
        self.syncer = Syncer(self.cluster, cache, self.queue, (), rows)
        self.reconciler = Reconciler(
            cluster=self.cluster,
            cache=cache,
            observer=Observer(self.cluster, Scraper(port=1)),
            defaults=Defaults("worker:1"),
            metrics=Metrics(),
            may_write=lambda: True,
            rows=rows,
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )
        self.ask_for(replicas=2)

    def ask_for(self, replicas: int) -> None:
        spec = {"model": {"source": "builtin://hibari"}, "replicas": replicas}
        known = self.cluster.objects.get((KIND, "ns", "english"))
        kept = known or {"metadata": {"name": "english", "namespace": "ns", "generation": 1}}
        self.cluster.seed({**kept, "apiVersion": API_VERSION, "kind": KIND, "spec": spec})

    async def list_and_settle(self) -> bool:
        """List everything, then let passes run until one writes nothing; tell whether the service was woken."""
        self.queue.woken.clear()
        await self.syncer.sync()
        woken = KEY in self.queue.woken
        await self.settle()
        return woken

    async def settle(self) -> None:
        for _ in range(5):
            self.cluster.writes.clear()
            await self.reconciler.reconcile(KEY)
            if not self.cluster.writes:
                return
        raise AssertionError(f"passes never end: {self.cluster.writes}")

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.objects[KIND, "ns", "english"]["status"]
        return found

    def condition(self, kind: str) -> dict[str, Any] | None:
        return next((c for c in self.status["conditions"] if c["type"] == kind), None)

    def gadget(self) -> Manifest | None:
        return self.cluster.objects.get(("Gadget", "ns", "english"))

    def assert_left_out(self, *words: str) -> None:
        assert self.gadget() is None
        found = self.condition("AddOnsInstalled")
        assert found is not None
        assert (found["status"], found["reason"]) == ("False", Reason.API_NOT_INSTALLED)
        assert all(word in found["message"] for word in ("Gadget english", *words)), found["message"]
        assert not list(problems(self.status, SCHEMA))
        stalled = self.condition("Stalled")
        assert stalled is not None
        assert stalled["status"] == "False"
        assert {"Deployment", "Service", "ConfigMap"} <= self.cluster.kinds(), "the others are there"


@pytest.fixture
async def world() -> World:
    """The operator with the add-on installed and the child made."""
    world = World()
    world.cluster.install(GADGETS, "Gadget")
    await world.list_and_settle()
    return world


async def test_it_is_left_out_until_its_api_appears() -> None:
    world = World()
    await world.list_and_settle()
    world.assert_left_out(GADGETS, "does not serve")
    assert not await world.list_and_settle(), "a list that finds nothing new wakes nobody"
    world.cluster.install(GADGETS, "Gadget")
    assert await world.list_and_settle()
    gadget = world.gadget()
    assert gadget is not None
    assert gadget["spec"] == {"size": 1}
    assert gadget["metadata"]["ownerReferences"][0]["name"] == "english"
    assert world.condition("AddOnsInstalled") is None


async def test_an_api_without_the_kind_is_not_enough() -> None:
    world = World()
    world.cluster.install(GADGETS, "Gizmo")
    await world.list_and_settle()
    world.assert_left_out("Gadget of gadgets.example/v1")


async def test_it_does_not_keep_the_service_from_being_ready() -> None:
    world = World()
    await world.list_and_settle()
    deployment = copy.deepcopy(world.cluster.objects["Deployment", "ns", "english"])
    counts = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    world.cluster.seed({**deployment, "status": counts})
    template = deployment["spec"]["template"]
    for name in ("one", "two"):
        pod = copy.deepcopy(template)
        pod["metadata"] |= {"name": name, "namespace": "ns"}
        pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        world.cluster.seed({**pod, "apiVersion": "v1", "kind": "Pod"})
    await world.list_and_settle()
    ready = world.condition("Ready")
    assert ready is not None
    assert ready["status"] == "True"
    world.assert_left_out()


@pytest.mark.parametrize("lost", ["changed", "deleted"])
async def test_it_is_healed(world: World, lost: str) -> None:
    gadget = world.cluster.remove("Gadget", "ns", "english")
    if lost == "changed":
        world.cluster.seed({**gadget, "spec": {"size": 9}})
    assert await world.list_and_settle()
    healed = world.gadget()
    assert healed is not None
    assert healed["spec"] == {"size": 1}


async def test_it_is_pruned(world: World) -> None:
    world.ask_for(replicas=1)
    await world.list_and_settle()
    assert world.gadget() is None
    assert world.condition("AddOnsInstalled") is None


async def test_its_api_is_removed_and_comes_back(world: World) -> None:
    world.cluster.uninstall(GADGETS)
    assert await world.list_and_settle()
    world.assert_left_out(GADGETS)
    world.cluster.install(GADGETS, "Gadget")
    assert await world.list_and_settle()
    assert world.gadget() is not None
    assert world.condition("AddOnsInstalled") is None


async def test_a_pass_finds_its_api_removed_before_a_list_does(world: World) -> None:
    gadget = world.cluster.remove("Gadget", "ns", "english")
    world.cluster.seed({**gadget, "spec": {"size": 9}})
    await world.syncer.sync()
    world.cluster.uninstall(GADGETS)
    world.cluster.remove("Service", "ns", "english")
    world.cluster.refuse = lambda verb, _, __: Unavailable(503, "starting") if verb == "discover" else None
    await world.syncer.sync()
    await world.reconciler.reconcile(KEY)
    world.assert_left_out("does not serve")


async def test_nothing_is_written_to_an_api_that_is_known_to_be_removed(world: World) -> None:
    world.cluster.uninstall(GADGETS)
    await world.syncer.sync()
    for replicas in (1, 2):
        world.ask_for(replicas)
        await world.syncer.sync()
        world.cluster.writes.clear()
        await world.reconciler.reconcile(KEY)
        assert "Gadget" not in {kind for _, kind, _ in world.cluster.writes}
    world.assert_left_out(GADGETS)


async def test_an_unwanted_child_of_a_removed_api_is_gone(world: World) -> None:
    world.cluster.uninstall(GADGETS)
    world.ask_for(replicas=1)
    world.cluster.refuse = lambda verb, _, __: Unavailable(503, "starting") if verb == "discover" else None
    await world.syncer.sync()
    await world.reconciler.reconcile(KEY)
    assert ("delete", "Gadget", "english") in world.cluster.writes
    assert world.condition("AddOnsInstalled") is None


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        ("list", Refused(403, "gadgets is forbidden")),
        ("discover", Refused(403, "discovery is forbidden")),
        ("discover", Unavailable(503, "the API server is starting")),
    ],
)
async def test_an_api_that_cannot_be_asked_does_not_end_the_operator(verb: str, error: ApiError) -> None:
    world = World()
    world.cluster.install(GADGETS, "Gadget")
    world.cluster.refuse = lambda v, kind, _: error if (v, kind) in {(verb, "Gadget"), (verb, GADGETS)} else None
    await world.list_and_settle()
    assert world.syncer.synced
    world.assert_left_out(error.message)
    world.cluster.refuse = lambda *_: None
    assert await world.list_and_settle()
    assert world.gadget() is not None


async def test_one_that_is_refused_holds_no_other_child_up() -> None:
    world = World()
    world.cluster.install(GADGETS, "Gadget")
    world.cluster.refuse = lambda verb, kind, _: (
        Refused(403, "a policy forbids gadgets") if (verb, kind) == ("create", "Gadget") else None
    )
    await world.syncer.sync()
    with pytest.raises(Retry):
        await world.reconciler.reconcile(KEY)
    assert {"Deployment", "Service", "ConfigMap"} <= world.cluster.kinds()
    stalled = world.condition("Stalled")
    assert stalled is not None
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.CHILD_REFUSED)


@pytest.mark.parametrize(
    ("verb", "error"),
    [("discover", Unavailable(503, "starting")), ("list", Refused(500, "conversion webhook failed"))],
)
async def test_an_api_server_that_fails_once_changes_nothing(world: World, verb: str, error: ApiError) -> None:
    world.cluster.refuse = lambda v, kind, _: error if (v, kind) in {(verb, "Gadget"), (verb, GADGETS)} else None
    assert not await world.list_and_settle()
    assert world.gadget() is not None
    assert world.condition("AddOnsInstalled") is None
