"""What the API server refuses: what stops then, what goes on, and what is reported."""

import copy

import pytest

from tests.support.operator.passes import CHILDREN, World, refusing, service
from ttscontract.reasons import Reason
from ttsoperator.kube.errors import Refused
from ttsoperator.watch.workqueue import Retry


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


async def test_a_refusal_stops_only_what_depends_on_it(world: World) -> None:
    world.cluster.seed(service())
    world.cluster.refuse = lambda verb, kind, _: (
        Refused(403, f"no {kind}") if (verb, kind) in {("create", "ConfigMap"), ("create", "ServiceAccount")} else None
    )
    with pytest.raises(Retry):
        await world.reconcile()
    assert "Service" in world.cluster.kinds()
    assert ("create", "Deployment", "english") not in world.cluster.writes, "its pods could not start"
    shown = world.condition("Stalled")["message"]
    assert "no ConfigMap" in shown
    assert "no ServiceAccount" in shown, "all refusals are reported at once"


async def test_children_that_exist_are_healed_while_a_change_of_another_is_refused(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.cluster.remove("Service", "ns", "english")
    world.cluster.remove("Deployment", "ns", "english")
    broken = copy.deepcopy(world.object("ServiceAccount", "english-worker"))
    world.cluster.seed({**broken, "automountServiceAccountToken": True})
    world.cluster.refuse = refusing("apply", "ServiceAccount", Refused(403, "a policy forbids this"))
    with pytest.raises(Retry):
        await world.reconcile()
    assert {"Service", "Deployment"} <= world.cluster.kinds(), "the ServiceAccount that they need is there"
    assert world.condition("Stalled")["reason"] == Reason.CHILD_REFUSED


async def test_a_list_that_an_apply_cannot_mend_is_replaced(world: World) -> None:
    """The API server merges a port of ours with one whose number somebody changed, and finds two of one name."""
    world.cluster.seed(service())
    await world.settle()
    good = copy.deepcopy(world.object("Service"))
    edited = copy.deepcopy(good)
    edited["spec"]["ports"][0]["port"] = 9999
    world.cluster.seed(edited)

    def invalid(verb: str, kind: str, _name: str) -> Refused | None:
        ports = world.object("Service")["spec"]["ports"]
        alien = ports != good["spec"]["ports"]
        return (
            Refused(422, "spec.ports[1].name: Duplicate value")
            if (verb, kind, alien) == ("apply", "Service", True)
            else None
        )

    world.cluster.refuse = invalid
    world.cluster.writes.clear()
    await world.reconcile()
    assert world.cluster.writes[:3] == [(verb, "Service", "english") for verb in ("apply", "patch", "apply")]
    assert world.object("Service")["spec"] == good["spec"]
    await world.settle()


async def test_what_replacing_lists_does_not_mend_is_reported_as_the_api_said_first(world: World) -> None:
    world.cluster.seed(service())
    await world.settle()
    world.cluster.seed({**copy.deepcopy(world.object("Service")), "spec": {"ports": []}})
    world.cluster.refuse = lambda verb, kind, _: (
        Refused(422, f"{verb} is invalid") if kind == "Service" and verb in {"apply", "patch"} else None
    )
    with pytest.raises(Retry):
        await world.reconcile()
    assert "Service english: apply is invalid" in world.condition("Stalled")["message"]


async def test_of_two_refusals_in_turns_each_lets_the_other_child_through(world: World) -> None:
    """What was written once stays, and no pass writes it again."""
    world.cluster.seed(service())
    await world.settle()
    for kind in ("Service", "Deployment"):
        world.cluster.remove(kind, "ns", "english")
    world.cluster.refuse = refusing("create", "Service", Refused(403, "no Service now"))
    with pytest.raises(Retry):
        await world.reconcile()
    world.cluster.refuse = refusing("create", "Deployment", Refused(403, "no Deployment now"))
    world.cluster.writes.clear()
    await world.reconcile()
    assert [write for write in world.cluster.writes if write[1] in CHILDREN] == [("create", "Service", "english")]
    await world.settle()
    assert world.condition("Stalled")["status"] == "False"


async def test_a_refusal_waits_longer_each_time_also_while_a_former_child_is_there(world: World) -> None:
    """A finalizer may keep that one for days."""
    world.cluster.seed(service())
    await world.settle()
    former = world.object("Service")
    world.cluster.objects.clear()
    world.cluster.seed(former)
    world.cluster.seed(service())
    world.cluster.refuse = refusing("create", "Deployment", Refused(403, "exceeded quota: pods"))
    with pytest.raises(Retry):
        await world.reconcile()
    assert world.condition("Stalled")["reason"] == Reason.CHILD_REFUSED
