"""Passes against an API server in memory: what is written, what is reported, and what is never touched."""

import copy
from datetime import timedelta

import pytest

from tests.support.operator.passes import BUILTIN, CHILDREN, KEY, World, refusing, service
from ttscontract.reasons import Reason
from ttsoperator.kube.errors import Unavailable
from ttsoperator.names import KIND
from ttsoperator.reconcile.reconciler import FORMER_SECONDS, TAKEN_SECONDS
from ttsoperator.watch.workqueue import Retry


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
    assert await world.reconcile() == TAKEN_SECONDS, "the name may become free"
    assert world.object("Service") == before
    stalled = world.condition("Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", Reason.NAME_CONFLICT)
    assert "Service english" in stalled["message"]
    world.cluster.remove("Service", "ns", "english")
    await world.settle()
    assert world.cluster.kinds() > CHILDREN
    assert world.condition("Stalled")["status"] == "False"


async def test_orphans_of_a_service_of_the_name_are_adopted(world: World) -> None:
    """kubectl delete --cascade=orphan, or a backup that was restored without owners."""
    world.cluster.seed(service())
    await world.settle()
    orphans = [obj for obj in world.cluster.objects.values() if obj["kind"] in CHILDREN]
    world.cluster.remove(KIND, "ns", "english")
    for orphan in orphans:
        orphan["metadata"]["ownerReferences"] = []
        world.cluster.seed(orphan)
    reborn = world.cluster.seed(service())
    world.restart()
    await world.settle()
    for orphan in orphans:
        adopted = world.object(orphan["kind"], orphan["metadata"]["name"])
        assert adopted["metadata"]["uid"] == orphan["metadata"]["uid"], "the workers go on"
        assert [owner["uid"] for owner in adopted["metadata"]["ownerReferences"]] == [reborn["metadata"]["uid"]]


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
