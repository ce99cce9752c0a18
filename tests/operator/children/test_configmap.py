"""The workers' ConfigMap: named by its content, and kept as long as a worker may read it."""

import copy
from typing import Any

import pytest

from tests.support.operator.rendered import children
from tests.support.operator.world import OTHER, World, downloaded, running, service, summary
from ttsoperator import names
from ttsoperator.kube.manifest import Manifest

CHANGED: dict[str, Any] = {"serving": {"maxConcurrency": 3}}


def rendered(**spec: Any) -> Manifest:
    return children(**spec)["ConfigMap"]


def name_of(config_map: Manifest) -> str:
    return str(config_map["metadata"]["name"])


def read_by(pod: Manifest) -> str:
    """Name of the ConfigMap that a pod or a template mounts."""
    [volume] = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "config"]
    return str(volume["configMap"]["name"])


def config_maps(world: World) -> set[str]:
    return {name for kind, name in world.children if kind == "ConfigMap"}


def rolling_out() -> tuple[World, str, str]:
    """Workers of one template, a change of their settings just applied, and the names of both ConfigMaps."""
    world = World()
    world.settle(service())
    world.run_workers()
    [former] = config_maps(world)
    plan = world.step(service(generation=2, **CHANGED))
    assert summary(plan) == ["create ConfigMap", "apply Deployment"], "a template's ConfigMap is there before it"
    [current] = config_maps(world) - {former}
    return world, former, current


def test_another_content_has_another_name() -> None:
    assert name_of(rendered()) == name_of(rendered())
    assert name_of(rendered()) == name_of(rendered(replicas=4, podTemplate={"labels": {"a": "b"}}))
    assert name_of(rendered()) != name_of(rendered(**CHANGED))


def test_it_cannot_be_changed() -> None:
    assert rendered()["immutable"] is True


def test_the_name_of_the_longest_service_is_bounded() -> None:
    name = names.config_map_name("a" * 40, "x" * 100_000)
    assert name.startswith("a" * 40 + "-worker-")
    assert len(name) <= 63


def test_the_template_mounts_the_one_of_its_settings() -> None:
    for spec in ({}, CHANGED):
        found = children(**spec)
        assert read_by(found["Deployment"]["spec"]["template"]) == name_of(found["ConfigMap"])


def test_a_worker_of_the_former_template_reads_the_former_settings() -> None:
    world, former, current = rolling_out()
    template = copy.deepcopy(world.one("Deployment")["spec"]["template"])
    world.pods.clear()  # the last former worker is lost; its ReplicaSet replaces it from its own template
    world.settle(service(generation=2, **CHANGED))
    assert config_maps(world) == {former, current}
    assert read_by(template) == current
    assert '"max_concurrency": 8' in world.children["ConfigMap", former]["data"]["worker.json"]
    assert '"max_concurrency": 3' in world.children["ConfigMap", current]["data"]["worker.json"]


def test_the_former_one_goes_after_the_rollout() -> None:
    world, _, current = rolling_out()
    wanted = service(generation=2, **CHANGED)
    assert world.plan(wanted).actions == (), "the Deployment controller has not begun"
    world.run_workers()
    assert summary(world.step(wanted)) == ["delete ConfigMap"]
    assert config_maps(world) == {current}
    assert world.plan(wanted).actions == ()


def test_the_one_of_the_release_before_stays_until_its_workers_are_replaced() -> None:
    """It had one name for every content, and the template's annotation had the hash."""
    world = World()
    world.settle(service())
    config_map = world.one("ConfigMap")
    [(_, name)] = [key for key in world.children if key[0] == "ConfigMap"]
    del world.children["ConfigMap", name], config_map["immutable"]
    config_map["metadata"]["name"] = "english-worker"
    world.children["ConfigMap", "english-worker"] = config_map
    deployment = world.one("Deployment")
    [volume] = [v for v in deployment["spec"]["template"]["spec"]["volumes"] if v["name"] == "config"]
    volume["configMap"]["name"] = "english-worker"
    world.run_workers()
    assert summary(world.step(service())) == ["create ConfigMap", "apply Deployment"]
    assert world.plan(service()).actions == ()
    world.run_workers()
    assert summary(world.step(service())) == ["delete ConfigMap"]
    assert config_maps(world) == {name}


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 1},
        {"updatedReplicas": 0},
        {"replicas": 2},
        {"availableReplicas": 0},
    ],
)
def test_the_former_one_stays_while_the_rollout_is_under_way(status: dict[str, int]) -> None:
    world, former, current = rolling_out()
    world.run_workers()
    world.one("Deployment")["status"] |= status
    assert world.plan(service(generation=2, **CHANGED)).actions == ()
    assert config_maps(world) == {former, current}


def test_the_former_one_stays_while_a_worker_that_ends_has_it_mounted() -> None:
    world, wanted = rolling_out()[0], service(generation=2, **CHANGED)
    leaving = copy.deepcopy(world.pods["worker-0"])
    leaving["metadata"] |= {"name": "leaving", "deletionTimestamp": "2026-01-01T12:00:00Z"}
    world.run_workers()
    world.pods["leaving"] = leaving
    assert world.plan(wanted).actions == ()
    leaving["status"]["phase"] = "Succeeded"
    assert summary(world.plan(wanted)) == ["delete ConfigMap"]


def test_the_former_one_stays_while_the_deployment_is_paused() -> None:
    """Scaled up, it would get workers of the former template, for there is no other ReplicaSet yet."""
    world, wanted = World(), service(generation=2, replicas=0, **CHANGED)
    world.settle(service(replicas=0))
    world.run_workers(0)
    world.one("Deployment")["spec"]["paused"] = True
    world.step(wanted)
    world.one("Deployment")["spec"]["paused"] = True
    world.run_workers(0)
    assert world.plan(wanted).actions == ()
    world.one("Deployment")["spec"]["paused"] = False
    assert summary(world.plan(wanted)) == ["delete ConfigMap"]


def test_going_back_in_mid_rollout_finds_the_former_one() -> None:
    world, former, current = rolling_out()
    assert summary(world.step(service(generation=3))) == ["apply Deployment"]
    assert read_by(world.one("Deployment")["spec"]["template"]) == former
    world.run_workers()
    assert summary(world.step(service(generation=3))) == ["delete ConfigMap"]
    assert config_maps(world) == {former}
    assert current not in config_maps(world)


def test_no_worker_is_left_without_one_while_a_model_is_downloaded() -> None:
    world = running()
    before = config_maps(world)
    world.settle(downloaded(generation=2, source=OTHER))
    assert config_maps(world) == before
