"""The owner of an object that has a child's name."""

from tests.support.operator.world import World, downloaded, running, service, summary
from ttsoperator.kube.snapshot import Ownership, ownership


def test_our_children_are_ours() -> None:
    world = World()
    world.settle(downloaded())
    assert {ownership(child, downloaded()) for child in world.children.values()} == {Ownership.OURS}


def test_children_of_a_deleted_service_of_the_name_are_a_former_ones() -> None:
    world = World()
    world.settle(service())
    reborn = service().model_copy(update={"uid": "another"})
    assert {ownership(child, reborn) for child in world.children.values()} == {Ownership.FORMER}


def test_a_retained_volume_is_found_again() -> None:
    world, keep = World(), downloaded(storage={"reclaimPolicy": "Retain"})
    world.settle(keep)
    reborn = keep.model_copy(update={"uid": "another"})
    assert ownership(world.one("PersistentVolumeClaim"), reborn) is Ownership.OURS
    assert ownership(world.one("PersistentVolumeClaim"), service("other")) is Ownership.FOREIGN


def test_what_carries_our_labels_and_has_no_controller_is_ours() -> None:
    world = World()
    world.settle(service())
    for child in world.children.values():
        del child["metadata"]["ownerReferences"]
        assert ownership(child, service().model_copy(update={"uid": "another"})) is Ownership.OURS
        assert ownership(child, service("other")) is Ownership.FOREIGN


def test_a_new_service_of_the_name_adopts_them_and_makes_nothing_anew() -> None:
    """Whose uid is another: it is in everything that was applied, the finished download too."""
    world = running()
    before = {key: child["metadata"]["uid"] for key, child in world.children.items()}
    for child in world.children.values():
        del child["metadata"]["ownerReferences"]
    reborn = downloaded().model_copy(update={"uid": "another"})
    adopted = summary(world.step(reborn))
    assert "adopt Job" in adopted
    assert {action.split()[0] for action in adopted} == {"apply", "adopt"}
    assert not world.step(reborn).actions
    assert {key: child["metadata"]["uid"] for key, child in world.children.items()} == before
    owners = {child["metadata"]["ownerReferences"][0]["uid"] for child in world.children.values()}
    assert owners == {"another"}


def test_an_autoscaler_that_is_left_over_goes_where_the_spec_sets_the_replicas() -> None:
    """Else the two would set the replicas in turns, for ever. Everything else that is left over stays."""
    world = running(autoscaling={})
    for child in world.children.values():
        del child["metadata"]["ownerReferences"]
    reborn = service().model_copy(update={"uid": "another"})
    assert "delete HorizontalPodAutoscaler" in summary(world.step(reborn))
    world.settle(reborn)
    assert {"Job", "PersistentVolumeClaim"} <= set(world.kinds())


def test_objects_of_others_are_never_ours() -> None:
    service_of_somebody = {"kind": "Service", "metadata": {"name": "english", "namespace": "speech"}}
    assert ownership(service_of_somebody, service()) is Ownership.FOREIGN
    labelled = {
        **service_of_somebody,
        "metadata": {"name": "english", "labels": {"tts-operator.io/service": "english"}},
    }
    assert ownership(labelled, service()) is Ownership.FOREIGN
    owner = {"kind": "Deployment", "name": "english", "uid": "d", "controller": True}
    owned = {**service_of_somebody, "metadata": {"name": "english", "ownerReferences": [owner]}}
    assert ownership(owned, service()) is Ownership.FOREIGN
