"""The status while a model is downloaded, or its volume does not come."""

import json
from typing import Any

import pytest

from tests.support.operator.status import GPU, Status, assert_blocked, crashed, kstatus, unscheduled
from tests.support.operator.world import OTHER, START, World, condition, downloaded, message, running, text
from ttsoperator.reconcile.status.observed import Progress


def test_downloading() -> None:
    world = World()
    world.settle(downloaded())
    world.run_job()
    status = world.status(downloaded(), download=Progress(10, 100))
    assert_blocked(status, "Downloading", stalled=False)
    assert status["model"] == {
        "source": downloaded().spec.model.source,
        "state": "Downloading",
        "bytes": 10,
        "totalBytes": 100,
        "progressTime": text(START),
    }


def test_progress_changes_at_most_every_five_seconds() -> None:
    world, wanted, seen = World(), downloaded(), list[str]()
    status: Status = {}
    world.settle(wanted)
    world.run_job()
    for second in range(21):
        status = world.status(wanted, status, download=Progress(second * 100, 5000))
        seen.append(json.dumps(status))
        world.after(1)
    assert len(set(seen)) == 5
    assert status["model"]["bytes"] == 2000
    assert status["model"]["bytesPerSecond"] == 100


def test_a_download_that_hangs_is_written_once_more_and_then_no_more() -> None:
    world, wanted, seen = World(), downloaded(), list[str]()
    status: Status = {}
    world.settle(wanted)
    world.run_job()
    for _ in range(10):
        status = world.status(wanted, status, download=Progress(700))
        seen.append(json.dumps(status))
        world.after(5)
    assert len(set(seen)) == 2
    assert status["model"]["bytesPerSecond"] == 0


def test_progress_that_cannot_be_read_for_once_stays() -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    world.run_job()
    status = world.status(wanted, download=Progress(10))
    world.after(60)
    assert world.status(wanted, status) == status


@pytest.mark.parametrize(
    ("told", "reason", "stalled"),
    [
        ('{"reason":"SourceNotFound","message":"404"}', "SourceNotFound", True),
        ('{"reason":"SourceForbidden","message":"403"}', "SourceForbidden", True),
        ('{"reason":"ChecksumMismatch","message":"other sum"}', "ChecksumMismatch", True),
        ('{"reason":"ArchiveInvalid","message":"a link out"}', "ArchiveInvalid", True),
        ('{"reason":"SourceInvalid","message":"html"}', "SourceInvalid", True),
        ('{"reason":"DiskFull","message":"no space"}', "DiskFull", True),
        ('{"reason":"StorageUnusable","message":"read-only"}', "StorageUnusable", True),
        ('{"reason":"SourceUnreachable","message":"no route"}', "SourceUnreachable", False),
        ('{"reason":"Interrupted","message":"told to stop"}', "Interrupted", False),
        ('{"reason":"InternalError","message":"a bug"}', "DownloadFailed", False),
        ("Traceback…\nMemoryError", "DownloadFailed", False),
        ("", "DownloadFailed", False),
    ],
)
def test_a_failed_download_says_why_until_it_succeeds(told: str, reason: str, stalled: bool) -> None:  # noqa: FBT001
    world, wanted = World(), downloaded()
    world.settle(wanted)
    world.fail_job(told)
    first = world.status(wanted)
    assert_blocked(first, reason, stalled=stalled)
    assert first["model"]["state"] == "Failed"
    world.after(10)
    world.settle(wanted)
    second = world.status(wanted, first)
    assert_blocked(second, reason, stalled=stalled)
    assert "attempt 2" in message(second, "Ready")
    world.finish_job()
    world.settle(wanted)
    world.run_workers()
    assert kstatus(world.status(wanted, second)) == "Current"


def test_the_digest_stays_when_the_jobs_pod_is_gone() -> None:
    world = running()
    status = world.status(downloaded())
    world.pods = {name: pod for name, pod in world.pods.items() if name.startswith("worker")}
    assert world.status(downloaded(), status) == status


def test_a_model_that_fails_leaves_the_old_one_serving() -> None:
    world, wanted = running(), downloaded(generation=2, source=OTHER)
    world.settle(wanted)
    old, new = sorted((c for (k, _), c in world.children.items() if k == "Job"), key=lambda job: "status" not in job)
    del world.children["Job", old["metadata"]["name"]]
    world.fail_job()
    world.children["Job", old["metadata"]["name"]] = old
    status = world.status(wanted)
    assert_blocked(status, "SourceNotFound", stalled=True)
    assert condition(status, "WorkloadAvailable") == ("True", "WorkersAvailable")
    assert new["metadata"]["name"] != old["metadata"]["name"]


def unbound(world: World, storage_class: str | None = None) -> None:
    claim = world.one("PersistentVolumeClaim")
    claim["status"] = {"phase": "Pending"}
    if storage_class is not None:
        claim["spec"]["storageClassName"] = storage_class


@pytest.mark.parametrize(
    ("name", "observed", "said"),
    [
        ("fast", {"storage_classes": {"slow": True}}, "StorageClass fast does not exist: create it (there are: slow)"),
        (None, {"storage_classes": {"slow": False}}, "no default StorageClass"),
        (None, {"storage_classes": {}}, "there are: none"),
        ("fast", {"claim_events": ["old", "quota exceeded"]}, "quota exceeded"),
    ],
)
def test_a_volume_that_does_not_come(name: str | None, observed: dict[str, Any], said: str) -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    unbound(world, name)
    status = world.status(wanted, **observed)
    assert_blocked(status, "WaitingForVolume", stalled=False)
    assert said in message(status, "Ready")
    assert status["model"]["state"] == "Pending"


def test_a_volume_that_waits_for_its_first_pod_is_no_obstacle() -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    unbound(world, "fast")
    assert_blocked(world.status(wanted, storage_classes={"fast": False}), "Downloading", stalled=False)


def test_a_repeated_download_does_not_take_ready_away() -> None:
    world, wanted = running(), downloaded()
    before = world.status(wanted)["conditions"][0]
    del world.children["Job", world.one("Job")["metadata"]["name"]]
    world.settle(wanted)
    world.run_job()
    status = world.status(wanted)
    assert status["conditions"][0] == before
    assert condition(status, "ModelReady") == ("False", "Downloading")
    assert kstatus(status) == "Current"


def test_a_download_that_is_needed_is_the_reason_and_not_the_crash_for_want_of_it() -> None:
    world, wanted = running(), downloaded()
    del world.children["Job", world.one("Job")["metadata"]["name"]]
    world.settle(wanted)
    world.run_job()
    world.run_workers(ready=False, **crashed('{"reason":"ModelMissing","message":"no model"}'))
    status = world.status(wanted)
    assert_blocked(status, "Downloading", stalled=False)
    assert condition(status, "WorkloadAvailable") == ("False", "ModelMissing")


# pods


def test_a_refused_download_pod_is_reported_after_a_minute() -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    world.after(60)
    assert_blocked(world.status(wanted), "Downloading", stalled=False)
    world.after(1)
    status = world.status(wanted)
    assert_blocked(status, "PodsRefused", stalled=True)
    assert f"kubectl describe job {world.one('Job')['metadata']['name']}" in message(status, "Ready")
    world.run_job()
    assert_blocked(world.status(wanted, status), "Downloading", stalled=False)


@pytest.mark.parametrize(
    ("why", "reason"), [(GPU, "WaitingForGPU"), ('storageclass.storage.k8s.io "x" not found', "WaitingForVolume")]
)
def test_a_download_that_finds_no_node(why: str, reason: str) -> None:
    world, wanted = World(), downloaded()
    world.settle(wanted)
    world.run_job()["status"] = unscheduled(why)
    assert_blocked(world.status(wanted), reason, stalled=False)
