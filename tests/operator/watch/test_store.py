"""The cache: the newest version wins, whatever its source, and a deleted object stays deleted."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ttsoperator.kube.manifest import Manifest, Ref
from ttsoperator.watch.store import Cache, Key, key_of

KEY = Key("ns", "english")


def child(version: int, *, uid: str = "u", name: str = "english", kind: str = "Service", **extra: Any) -> Manifest:
    labels = {"tts-operator.io/service": "english"}
    owners = [{"kind": "TTSService", "name": "english", "uid": "s", "controller": True}]
    meta = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": str(version), "labels": labels}
    return {"kind": kind, "metadata": meta | {"ownerReferences": owners}, **extra}


def service(version: int, uid: str = "s") -> Manifest:
    meta = {"name": "english", "namespace": "ns", "uid": uid, "resourceVersion": str(version)}
    return {"kind": "TTSService", "metadata": meta}


def versions(cache: Cache) -> list[str]:
    return [obj["metadata"]["resourceVersion"] for obj in cache.owned(KEY)]


def test_objects_are_found_by_the_service_they_belong_to() -> None:
    cache = Cache()
    cache.put(service(1))
    cache.put(child(2))
    cache.put(child(3, uid="p", kind="Pod", name="english-1"))
    stranger = child(4, uid="x", name="other")
    stranger["metadata"]["labels"] = {}
    cache.put(stranger)
    assert cache.service(KEY) == service(1)
    assert cache.services() == [KEY]
    assert {obj["kind"] for obj in cache.owned(KEY)} == {"Service", "Pod"}
    assert [pod["metadata"]["name"] for pod in cache.pods("ns")] == ["english-1"]
    assert list(cache.pods("other")) == []
    assert key_of(stranger) is None


def test_an_echo_and_an_older_event_are_no_news() -> None:
    cache = Cache()
    assert cache.put(child(5))
    assert not cache.put(child(5))
    assert not cache.put(child(4))
    assert cache.put(child(10))
    assert versions(cache) == ["10"]


def test_a_list_shows_the_fields_that_a_watch_left_out() -> None:
    """A watch from before an upgrade of the CRD does not show the new fields; the version is the same."""
    cache = Cache()
    whole, pruned = {"old": 1, "new": 2}, {"old": 1}
    cache.put(child(5, spec=pruned))
    assert cache.replace("Service", None, [child(5, spec=whole)], 6) == {KEY}
    assert cache.replace("Service", None, [child(5, spec=whole)], 7) == set()
    assert not cache.put(child(5, spec=pruned))
    assert [obj["spec"] for obj in cache.owned(KEY)] == [whole]


def test_a_late_event_does_not_bring_a_deleted_object_back() -> None:
    cache = Cache()
    cache.put(child(5))
    cache.drop(child(5))
    assert not cache.put(child(4))
    assert list(cache.owned(KEY)) == []
    assert cache.put(child(7, uid="another"))


def test_an_object_that_lost_its_label_and_got_it_back_is_known_again() -> None:
    cache = Cache()
    cache.put(child(5))
    cache.drop(child(6))  # what a watch by label reports when the label is taken away
    assert not cache.put(child(5))
    assert cache.put(child(7))
    assert versions(cache) == ["7"]


def test_what_the_api_server_has_deleted_for_us_is_gone_at_once() -> None:
    cache = Cache()
    cache.put(child(5, uid="new"))
    cache.drop_gone(Ref("v1", "Service", "ns", "english", "old"))
    assert versions(cache) == ["5"]
    cache.drop_gone(Ref("v1", "Service", "ns", "english", "new"))
    assert list(cache.owned(KEY)) == []
    assert not cache.put(child(5, uid="new"))


def test_a_deletion_of_the_former_object_leaves_its_successor() -> None:
    cache = Cache()
    cache.put(child(5, uid="old"))
    cache.put(child(8, uid="new"))
    cache.drop(child(6, uid="old"))
    assert versions(cache) == ["8"]


def test_a_child_whose_label_moved_belongs_to_the_other_service_only() -> None:
    cache = Cache()
    cache.put(child(5))
    moved = child(6)
    moved["metadata"]["labels"] = {"tts-operator.io/service": "german"}
    cache.put(moved)
    assert list(cache.owned(KEY)) == []
    assert len(list(cache.owned(Key("ns", "german")))) == 1


def test_a_list_finds_what_a_watch_lost() -> None:
    cache = Cache()
    cache.put(child(5, uid="gone", name="gone"))
    cache.put(child(6, uid="kept", name="kept"))
    cache.put(child(30, uid="young", name="young"))  # seen after the list was made
    cache.put(child(7, uid="other-kind", kind="ConfigMap"))
    changed = cache.replace("Service", None, [child(6, uid="kept", name="kept"), child(9, uid="n", name="n")], 20)
    assert changed == {KEY}
    assert {o["metadata"]["name"] for o in cache.owned(KEY)} == {"kept", "young", "n", "english"}
    assert cache.replace("Service", None, [child(6, uid="kept", name="kept"), child(9, uid="n", name="n")], 20) == set()


def test_a_list_of_one_namespace_says_nothing_about_others() -> None:
    cache = Cache()
    cache.put(child(5))
    assert cache.replace("Service", "elsewhere", [], 20) == set()
    assert cache.replace("Service", "ns", [], 20) == {KEY}


def test_managed_fields_take_no_memory() -> None:
    cache = Cache()
    obj = child(5)
    obj["metadata"]["managedFields"] = [{"manager": "m"}]
    cache.put(obj)
    (kept,) = cache.owned(KEY)
    assert "managedFields" not in kept["metadata"]
    assert "managedFields" in obj["metadata"], "the caller's object is not touched"


def test_an_object_without_a_ttsservice_as_controller_is_not_kept() -> None:
    cache = Cache()
    stranger = child(5)
    stranger["metadata"]["ownerReferences"] = [{"kind": "Deployment", "uid": "d", "controller": True}]
    assert not cache.put(stranger)
    assert cache.put(child(6))
    stranger["metadata"]["resourceVersion"] = "5"
    assert not cache.put(stranger), "older than the cached version"
    stranger["metadata"]["resourceVersion"] = "7"
    assert cache.put(stranger), "somebody gave it another controller"
    assert list(cache.owned(KEY)) == []
    assert cache.put(child(8))
    free = child(9, kind="Service", uid="orphan", name="orphan")
    free["metadata"]["ownerReferences"] = []
    assert cache.put(free), "a service may adopt it"
    pod = child(10, kind="Pod", uid="p")
    pod["metadata"]["ownerReferences"] = stranger["metadata"]["ownerReferences"]
    assert cache.put(pod), "a ReplicaSet controls it"


@given(st.permutations([("put", 1), ("put", 2), ("put", 3), ("drop", 3)]))
def test_in_whatever_order_news_arrive_the_end_is_the_same(events: list[tuple[str, int]]) -> None:
    cache = Cache()
    for what, version in events:
        (cache.put if what == "put" else cache.drop)(child(version))
    assert list(cache.owned(KEY)) == []
    assert cache._of_service == {}
