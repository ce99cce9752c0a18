"""Passes against an API server in memory: what is written, what is reported, and what is never touched."""

import copy
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.support.operator.fakes import FakeCluster
from ttscontract.reasons import Reason
from ttsoperator.children.context import Defaults
from ttsoperator.children.registry import watched
from ttsoperator.kube.client import ApiError, Refused, Unavailable
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.scrape import Scraper
from ttsoperator.metrics import Metrics
from ttsoperator.names import CHILD_SELECTOR, KIND
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.reconciler import FORMER_SECONDS, Reconciler
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.workqueue import Retry

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


@pytest.fixture
def world() -> World:
    return World()


def refusing(verb: str, kind: str, error: ApiError) -> Callable[[str, str, str], ApiError | None]:
    return lambda v, k, _: error if (v, k) == (verb, kind) else None


async def test_a_new_service_gets_its_children_and_a_status_in_one_pass(world: World) -> None:
    owner = world.cluster.seed(service())
    await world.reconcile()
    assert world.cluster.kinds() > CHILDREN
    for kind, name in [("ServiceAccount", "english-worker"), ("Deployment", "english")]:
        (reference,) = world.object(kind, name)["metadata"]["ownerReferences"]
        assert reference["uid"] == owner["metadata"]["uid"]
        assert reference["controller"] is True
    assert world.condition("Ready")["status"] == "False"
    assert world.object(KIND)["status"]["observedGeneration"] == 1
    assert world.count("changed") == "1.0"


async def test_a_second_pass_writes_nothing_though_no_watch_event_has_come_yet(world: World) -> None:
    world.cluster.seed(service())
    await world.reconcile()
    world.cluster.writes.clear()
    await world.reconciler.reconcile(KEY)
    assert world.cluster.writes == []
    assert world.count("unchanged") == "1.0"


async def test_a_restarted_operator_writes_nothing(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.workers_become_ready()
    await world.settle()
    assert world.condition("Ready")["status"] == "True"
    world.restart()
    world.time += timedelta(hours=5)
    world.cluster.writes.clear()
    await world.reconcile()
    assert world.cluster.writes == []


async def test_changes_and_deletions_by_others_are_healed(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.cluster.remove("Service", "ns", "english")
    broken = copy.deepcopy(world.config_map())
    name, good = broken["metadata"]["name"], broken["data"]
    broken |= {"immutable": False, "data": {"worker.json": "{}"}}
    world.cluster.seed(broken)
    world.cluster.writes.clear()
    await world.reconcile()
    assert ("create", "Service", "english") in world.cluster.writes
    assert ("apply", "ConfigMap", name) in world.cluster.writes
    assert world.config_map()["data"] == good
    assert {write[0] for write in world.cluster.writes} <= {"create", "apply", "patch status"}


async def test_an_immutable_child_of_other_content_is_replaced(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    good = copy.deepcopy(world.config_map())
    world.cluster.seed({**good, "data": {"worker.json": "{}"}})
    world.cluster.writes.clear()
    await world.reconcile()
    name = good["metadata"]["name"]
    assert world.cluster.writes[:2] == [("delete", "ConfigMap", name), ("create", "ConfigMap", name)]
    assert world.config_map()["data"] == good["data"]
    await world.settle()


async def test_a_child_that_lost_its_labels_is_found_by_its_name_and_healed(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    bare = copy.deepcopy(world.object("Deployment"))
    bare["metadata"]["labels"] = {}
    seen = world.cluster.seed(bare)
    world.cache.drop(seen)  # to a watch by label it is deleted
    await world.reconciler.reconcile(KEY)
    assert world.object("Deployment")["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "tts-operator"
    assert world.object("Deployment")["metadata"]["uid"] == bare["metadata"]["uid"], "healed, not made anew"
    await world.settle()


async def test_somebody_elses_object_is_never_touched(world: World) -> None:
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "english", "namespace": "ns"},
        "spec": {"a": 1},
    }
    before = world.cluster.seed(theirs)
    world.cluster.seed(service())
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.object("Service") == before
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.NAME_CONFLICT)
    assert "Service english" in stalled["message"]
    world.cluster.remove("Service", "ns", "english")
    await world.settle()
    assert world.cluster.kinds() > CHILDREN
    assert world.condition("Stalled")["status"] == "False"


async def test_children_of_a_former_service_of_the_name_are_waited_for(world: World) -> None:
    first = world.cluster.seed(service())
    await world.settle()
    world.cluster.remove(KIND, "ns", "english")
    second = world.cluster.seed(service())
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert await world.reconcile() == FORMER_SECONDS
    assert world.condition("Reconciling")["reason"] == Reason.WAITING_FOR_DELETION
    assert world.condition("Stalled")["status"] == "False"
    for kind in CHILDREN:
        [(_, _, name)] = [identity for identity in world.cluster.objects if identity[0] == kind]
        world.cluster.remove(kind, "ns", name)
    await world.settle()
    (reference,) = world.object("Deployment")["metadata"]["ownerReferences"]
    assert reference["uid"] == second["metadata"]["uid"]


async def test_a_refusal_is_reported_in_the_apis_words_and_retried(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("create", "Deployment", Refused(403, "exceeded quota: pods"))
    with pytest.raises(Retry):
        await world.reconcile()
    stalled = world.condition("Stalled")
    assert stalled["reason"] == Reason.CHILD_REFUSED
    assert "exceeded quota: pods" in stalled["message"]
    assert world.count("refused") == "1.0"
    world.cluster.writes.clear()
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.cluster.writes == [("create", "Deployment", "english")], "the status is the same: not written again"
    world.cluster.refuse = lambda *_: None
    await world.settle()
    assert world.cluster.kinds() > CHILDREN
    assert world.condition("Stalled")["status"] == "False"


async def test_an_api_that_does_not_answer_is_no_news_about_the_service(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("create", "Deployment", Unavailable(503, "etcd is away", retry_after=7))
    with pytest.raises(Retry) as caught:
        await world.reconcile()
    assert caught.value.after == 7
    assert "status" not in world.object(KIND)
    assert world.count("failed") == "1.0"


async def test_an_invalid_spec_stalls_and_leaves_children_alone(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    bad = copy.deepcopy(world.object(KIND))
    bad["spec"] = {"model": {"source": "gopher://x"}}
    bad["metadata"]["generation"] = 2
    world.cluster.seed(bad)
    await world.settle()
    assert world.cluster.kinds() > CHILDREN
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.INVALID_SPEC)
    assert world.object(KIND)["status"]["observedGeneration"] == 2


async def test_a_service_being_deleted_or_gone_is_left_to_garbage_collection(world: World) -> None:
    world.cluster.seed(service(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert await world.reconcile() is None
    world.cluster.remove(KIND, "ns", "english")
    assert await world.reconcile() is None
    assert world.cluster.writes == []


async def test_who_does_not_lead_writes_nothing(world: World) -> None:
    world.cluster.seed(service())
    world.leading = False
    with pytest.raises(Retry, match="another replica"):
        await world.reconcile()
    assert world.cluster.writes == []


async def test_a_lost_lease_ends_a_pass_between_two_writes(world: World) -> None:
    world.cluster.seed(service())

    def lose(_verb: str, kind: str, _name: str) -> None:
        world.leading = kind != "Service"

    world.cluster.refuse = lose
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.cluster.writes[-1] == ("create", "Service", "english")
    assert "Deployment" not in world.cluster.kinds()


async def test_a_status_made_for_an_older_object_is_not_written_over_the_newer(world: World) -> None:
    world.cluster.seed(service())
    await world.watch()
    newer = copy.deepcopy(world.object(KIND))
    newer["metadata"]["generation"] = 2
    world.cluster.seed(newer)
    assert await world.reconciler.reconcile(KEY) == 0.0, "at once again"
    assert "status" not in world.object(KIND)
    await world.reconciler.reconcile(KEY)
    assert world.object(KIND)["status"]["observedGeneration"] == 2


async def test_a_field_that_the_watch_left_out_is_acted_upon_as_soon_as_an_answer_shows_it(world: World) -> None:
    """A watch from before an upgrade of the CRD does not show the new fields."""
    world.cluster.seed(service())
    await world.settle()
    labelled = {**BUILTIN, "podTemplate": {"labels": {"team": "voice"}}}
    edited = world.cluster.seed(
        {**world.object(KIND), **service(labelled, generation=2, uid=world.object(KIND)["metadata"]["uid"])}
    )
    world.cache.put({**edited, "spec": BUILTIN})
    delay = await world.reconciler.reconcile(KEY)
    assert delay == 0.0, "the answer to the status showed all of the spec"
    await world.reconciler.reconcile(KEY)
    assert world.object("Deployment")["spec"]["template"]["metadata"]["labels"]["team"] == "voice"


async def test_a_deletion_that_no_watch_reported_is_noticed_at_the_first_write(world: World) -> None:
    world.cluster.seed(service())
    await world.watch()
    world.cluster.remove(KIND, "ns", "english")
    await world.reconciler.reconcile(KEY)
    assert world.cache.service(KEY) is None
    world.cluster.writes.clear()
    await world.reconciler.reconcile(KEY)
    assert world.cluster.writes == []


async def test_events_are_recorded_once_per_transition(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.workers_become_ready()
    await world.settle()
    reasons = [event["reason"] for event in world.events()]
    assert len(reasons) == len(set(reasons))
    ready = next(event for event in world.events() if event["reason"] == Reason.READY)
    assert ready["involvedObject"]["uid"] == world.object(KIND)["metadata"]["uid"]
    assert ready["count"] == 1


async def test_an_operator_killed_between_event_and_status_does_not_count_the_event_twice(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("patch status", KIND, Unavailable(0, "killed"))
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.events()
    world.cluster.refuse = lambda *_: None
    world.restart()
    await world.settle()
    assert {event["count"] for event in world.events()} == {1}


async def test_the_same_transition_again_counts_up(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    for _ in range(3):
        world.workers_become_ready()
        await world.settle()
        gone = copy.deepcopy(world.object("Deployment"))
        gone["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
        world.cluster.seed(gone)
        world.cluster.remove("Pod", "ns", "english-1")
        world.time += timedelta(minutes=1)
        await world.settle()
    ready = [event for event in world.events() if event["reason"] == Reason.READY]
    assert [event["count"] for event in ready] == [3]
    assert ready[0]["lastTimestamp"] > ready[0]["firstTimestamp"]


async def test_events_that_may_not_be_written_keep_nothing_from_working(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = refusing("create", "Event", Refused(403, "no"))
    await world.reconcile()
    assert world.condition("Ready")["status"] == "False"
    assert world.cluster.kinds() > CHILDREN


class Killed(BaseException):
    """kill -9."""


async def life(world: World) -> int:
    """A service's life: created, ready, autoscaled, and back. Return how often the operator was killed in it."""
    world.cluster.seed(service())
    deaths = 0
    for autoscaling in (None, {"minReplicas": 2, "maxReplicas": 3, "targets": {"queueDepth": 4}}, None):
        body = copy.deepcopy(world.object(KIND))
        if body["spec"].get("autoscaling") != autoscaling:
            body["spec"]["autoscaling"] = autoscaling
            body["metadata"]["generation"] += 1
            world.cluster.seed(body)
        for ready in (False, True):
            if ready:
                world.workers_become_ready()
            try:
                await world.settle()
            except Killed:
                deaths += 1
                world.restart()
                await world.settle()
    return deaths


def remains(world: World) -> dict[tuple[str, str], Manifest]:
    """The end of a life, without what differs between two lives that went well."""
    kept = {}
    for (kind, _, name), obj in world.cluster.objects.items():
        if kind == "Event":
            continue
        plain = copy.deepcopy(obj)
        plain["metadata"] = {k: plain["metadata"].get(k) for k in ("labels", "annotations", "generation")}
        kept[kind, name] = plain
    return kept


async def test_killed_after_every_write_of_a_life_the_end_is_the_same(world: World) -> None:
    await life(world)
    expected = remains(world)
    events = {event["metadata"]["name"]: event["count"] for event in world.events()}
    for n in itertools.count(1):
        other = World()
        writes = itertools.count(1)

        def kill(verb: str, *_: str, writes: Iterator[int] = writes, last: int = n) -> None:
            if verb != "list" and next(writes) == last:
                raise Killed

        other.cluster.refuse = kill
        if not await life(other):
            break
        assert remains(other) == expected
        assert {event["metadata"]["name"]: event["count"] for event in other.events()} == events
    assert n > 15, "the life has fewer writes than a real one"
