"""The plan: what is written, in which order, and what is left alone."""

import copy
import json

import pytest

from tests.support.operator.world import OTHER, World, downloaded, running, service, summary
from ttsoperator import names
from ttsoperator.reconcile.plan import Plan

# creation


def test_a_builtin_model_needs_no_volume_and_no_download() -> None:
    world = World()
    plan = world.step(service())
    assert summary(plan) == ["create ServiceAccount", "create Service", "create ConfigMap", "create Deployment"]
    assert plan.requeue_after is None
    assert world.plan(service()).actions == ()


def test_workers_come_when_the_model_is_there() -> None:
    world, wanted = World(), downloaded(autoscaling={})
    first = world.step(wanted)
    claim_and_job = ["create PersistentVolumeClaim", "create Job"]
    assert summary(first) == ["create ServiceAccount", *claim_and_job, "create Service"]
    assert first.requeue_after == 5
    world.run_job()
    assert world.plan(wanted).actions == ()
    world.finish_job()
    plan = world.step(wanted)
    assert summary(plan) == ["create ConfigMap", "create Deployment", "create HorizontalPodAutoscaler"]
    assert plan.requeue_after is None


def test_an_existing_claim_is_used_and_never_written() -> None:
    world, wanted = World(), downloaded(storage={"existingClaimName": "mine"})
    world.step(wanted)
    world.finish_job()
    world.settle(wanted)
    assert "PersistentVolumeClaim" not in world.kinds()
    for kind in ("Job", "Deployment"):
        volumes = world.one(kind)["spec"]["template"]["spec"]["volumes"]
        assert {"name": "model", "persistentVolumeClaim": {"claimName": "mine"}} in volumes


def test_nothing_is_written_for_a_service_that_is_being_deleted() -> None:
    wanted = service().model_copy(update={"deleting": True})
    assert World().plan(wanted) == Plan((), ())


# healing


@pytest.mark.parametrize("kind", ["ServiceAccount", "Service", "ConfigMap", "Deployment", "HorizontalPodAutoscaler"])
def test_a_deleted_child_comes_back(kind: str) -> None:
    world, wanted = running(autoscaling={}), downloaded(autoscaling={})
    world.settle(wanted)
    world.children.pop((kind, world.one(kind)["metadata"]["name"]))
    assert f"create {kind}" in summary(world.step(wanted))
    assert world.plan(wanted).actions == ()


def test_our_fields_are_healed_and_others_additions_stay() -> None:
    world, wanted = running(), downloaded()
    deployment = world.one("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    pod["containers"].append({"name": "istio-proxy", "image": "proxy"})
    pod["volumes"].append({"name": "istio-envoy", "emptyDir": {}})
    deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "3"
    deployment["metadata"]["labels"]["team"] = "speech"
    pod["containers"][0]["env"].append({"name": "INJECTED", "value": "1"})
    pod["containers"][0]["terminationMessagePath"] = "/dev/termination-log"
    assert world.plan(wanted).actions == ()
    pod["containers"][0]["image"] = "something-else"
    assert summary(world.plan(wanted)) == ["apply Deployment"]


def test_a_child_on_its_way_out_is_waited_for() -> None:
    world, wanted = running(), downloaded()
    world.one("Service")["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    del world.one("Service")["spec"]["selector"]
    assert world.plan(wanted).actions == ()


def test_a_field_that_is_no_longer_rendered_is_removed() -> None:
    world = World()
    world.settle(service(service={"annotations": {"a": "b"}}))
    assert summary(world.step(service())) == ["apply Service"]
    assert "a" not in world.one("Service")["metadata"]["annotations"]


# the model


def test_a_new_model_is_downloaded_beside_the_old_one() -> None:
    world, wanted = running(), downloaded(generation=2, source=OTHER, engine="coqui")
    before = copy.deepcopy(world.one("Deployment"))
    assert summary(world.step(wanted)) == ["create Job"]
    world.settle(wanted)
    assert world.one("Deployment") == before, "the workers keep the old model and its engine"
    [job] = [key for key in world.children if key[0] == "Job" and key[1] != before["metadata"]["name"]][-1:]
    world.children[job]["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    plan = world.step(wanted)
    assert summary(plan) == ["create ConfigMap", "apply Deployment", "delete Job"]
    assert world.one("Deployment")["metadata"]["annotations"][names.MODEL_KEY] == names.model_key(OTHER, None)
    assert world.one("Deployment")["metadata"]["annotations"][names.ENGINE] == "coqui"
    assert world.plan(wanted).actions == ()


def test_other_changes_reach_the_workers_while_a_model_is_downloaded() -> None:
    world, wanted = running(), downloaded(generation=2, source=OTHER, replicas=3)
    world.settle(wanted)
    assert world.one("Deployment")["spec"]["replicas"] == 3
    assert world.one("Deployment")["metadata"]["annotations"][names.MODEL_KEY] == names.model_key(
        downloaded().spec.model.source, None
    )


def test_going_back_to_the_old_model_stops_the_new_download() -> None:
    world = running()
    before = copy.deepcopy(world.children)
    world.settle(downloaded(generation=2, source=OTHER))
    assert summary(world.step(downloaded(generation=3))) == ["delete Job"]
    assert world.children == before


def test_a_download_that_is_no_longer_wanted_is_stopped_for_the_next() -> None:
    world = World()
    world.settle(downloaded())
    first = world.one("Job")["metadata"]["name"]
    assert summary(world.step(downloaded(generation=2, source=OTHER))) == ["create Job", "delete Job"]
    assert world.one("Job")["metadata"]["name"] != first


def test_a_running_download_is_replaced_when_its_pod_is_wanted_otherwise() -> None:
    world = World()
    world.settle(downloaded())
    moved = downloaded(generation=2, podTemplate={"nodeSelector": {"zone": "b"}})
    assert summary(world.step(moved)) == ["delete Job", "create Job"]
    assert world.plan(moved).actions == ()


def test_a_complete_download_is_not_repeated_whatever_changes() -> None:
    world = running()
    job = copy.deepcopy(world.one("Job"))
    world.settle(downloaded(generation=2, podTemplate={"nodeSelector": {"zone": "b"}}))
    assert world.one("Job") == job


def test_a_model_of_the_image_needs_no_volume_and_stays_until_the_next_is_downloaded() -> None:
    world, alba = World(), service(engine="coqui", model={"source": "builtin://alba"})
    world.settle(alba)
    assert {"Job", "PersistentVolumeClaim"}.isdisjoint(world.kinds())
    [content] = [
        json.loads(each["data"]["worker.json"]) for (kind, _), each in world.children.items() if kind == "ConfigMap"
    ]
    assert (content["engine"], content["model_dir"]) == ("coqui", "/opt/ttsworker/models/alba")
    [worker] = world.one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert "/models" not in {mount["mountPath"] for mount in worker["volumeMounts"]}
    before = copy.deepcopy(world.one("Deployment"))
    world.settle(downloaded(generation=2))
    assert world.one("Deployment") == before, "the workers keep the image's model"
    other = service(generation=3, engine="coqui", model={"source": "builtin://alto"})
    assert "apply Deployment" in summary(world.step(other))


def test_the_volume_of_a_builtin_model_goes_when_no_pod_uses_it_any_more() -> None:
    world, wanted = running(), service(generation=2)
    assert "PersistentVolumeClaim" in world.kinds()
    assert summary(world.step(wanted)) == ["create ConfigMap", "apply Deployment", "delete Job"]
    assert world.plan(wanted).actions == (), "the old workers still have it mounted"
    world.run_workers()
    assert summary(world.step(wanted)) == ["delete PersistentVolumeClaim", "delete ConfigMap"]
    assert world.plan(wanted).actions == ()


def test_a_retained_volume_stays_and_has_no_owner() -> None:
    world, keep = running(), downloaded(generation=2, storage={"reclaimPolicy": "Retain"})
    world.settle(keep)
    assert "ownerReferences" not in world.one("PersistentVolumeClaim")["metadata"]
    world.settle(service(generation=3))
    world.run_workers()
    world.settle(service(generation=3))
    assert "PersistentVolumeClaim" in world.kinds()


def test_a_recreated_volume_is_filled_again() -> None:
    world, wanted = running(), downloaded()
    world.after(60)
    del world.children["PersistentVolumeClaim", "english-model"]
    assert summary(world.step(wanted)) == ["create PersistentVolumeClaim"]
    plan = world.step(wanted)
    assert summary(plan) == ["delete Job", "create Job"]
    assert world.plan(wanted).actions == ()


def test_no_download_into_a_volume_that_is_going_away() -> None:
    world, wanted = running(), downloaded()
    world.one("PersistentVolumeClaim")["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    assert summary(world.step(wanted)) == ["delete Job"], "its pod would keep the volume for ever"
    assert world.plan(wanted).actions == ()


def test_a_volume_grown_by_hand_is_not_shrunk() -> None:
    world = running()
    world.one("PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] = "50Gi"
    world.settle(downloaded(generation=2, storage={"size": "20Gi"}))
    assert world.one("PersistentVolumeClaim")["spec"]["resources"]["requests"]["storage"] == "50Gi"


# a failed download


def test_a_failed_download_is_repeated_after_a_growing_wait() -> None:
    world, wanted, waits = World(), downloaded(), []
    world.settle(wanted)
    for _ in range(7):
        world.fail_job()
        plan = world.plan(wanted)
        assert plan.actions == ()
        assert plan.requeue_after is not None
        waits.append(plan.requeue_after)
        world.after(plan.requeue_after)
        assert summary(world.step(wanted)) == ["delete Job", "create Job"]
        assert world.plan(wanted).actions == ()
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert world.one("Job")["metadata"]["annotations"][names.ATTEMPT] == "7"
    told = json.loads(world.one("Job")["metadata"]["annotations"][names.LAST_FAILURE])
    assert told == {"reason": "SourceNotFound", "message": "404 for the source"}


def test_a_failed_download_is_repeated_at_once_when_the_spec_changes() -> None:
    world = World()
    world.settle(downloaded())
    world.fail_job()
    wanted = downloaded(generation=2, podTemplate={"env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}]})
    assert summary(world.step(wanted)) == ["delete Job", "create Job"]
    annotations = world.one("Job")["metadata"]["annotations"]
    assert annotations[names.ATTEMPT] == "0"
    assert names.LAST_FAILURE not in annotations
