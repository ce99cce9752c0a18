"""Every failure of a download has a clear reason, and the service becomes Ready once the cause is fixed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.cluster import setup
from tests.support.cluster.files import FileServer, serve_files
from tests.support.cluster.kubectl import Kubectl, Object
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

WRONG = "0" * 64
GPU = "tests.tts-operator.io/gpu"
"""An extended resource that no node has until this module says so."""


@dataclass(frozen=True)
class Trouble:
    """A service that cannot start, why, and what helps."""

    name: str
    spec: Callable[["Ground"], Object]
    condition: tuple[str, str, str]
    """Type, status and reason that tell of it."""
    told: str
    """A part of the message that helps a person."""
    mend: Callable[["Ground"], None]


@dataclass(frozen=True)
class Ground:
    """What the troubled services stand on."""

    tenant: Tenant
    files: FileServer

    def fetched(self, **changes: object) -> Object:
        """The spec of a service that downloads its model without trouble, but for these changes."""
        return {"engine": "hibari", "model": self.files.model, "storage": {"size": "100Mi"}, **changes}

    def serve_rightly(self, name: str) -> None:
        """Correct the spec."""
        self.tenant.serve(name, **self.fetched())

    @property
    def small_disk(self) -> str:
        """A folder of the node that a file system of 4 MB is mounted at."""
        return f"/run/small-disk-of-{self.tenant.namespace}"

    @property
    def storage_class(self) -> str:
        """A StorageClass of this run only."""
        return f"class-of-{self.tenant.namespace}"


def _offer_gpu(ground: Ground) -> None:
    (node, *_) = ground.tenant.list("node")
    ground.tenant.patch("node", node["metadata"]["name"], {"status": {"capacity": {GPU: "1"}}}, subresource="status")


def _make_class(ground: Ground) -> None:
    (default,) = [
        each
        for each in ground.tenant.list("storageclass")
        if each["metadata"].get("annotations", {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    ]
    metadata = {"name": ground.storage_class}
    keys = ("apiVersion", "kind", "provisioner", "parameters", "volumeBindingMode", "reclaimPolicy")
    ground.tenant.apply({"metadata": metadata, **{key: default[key] for key in keys if key in default}})


def _make_small_disk(ground: Ground) -> None:
    """A volume of 4 MB: a file system that really is full after that."""
    setup.devcluster("mkdir", "-p", ground.small_disk)
    setup.devcluster("mount", "-t", "tmpfs", "-o", "size=4m,mode=0777", "tmpfs", ground.small_disk)
    ground.tenant.apply({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": ground.tenant.namespace},
        "spec": {
            "capacity": {"storage": "100Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": f"small-{ground.tenant.namespace}",
            "claimRef": {"namespace": ground.tenant.namespace, "name": "full-disk-model"},
            "hostPath": {"path": ground.small_disk},
        },
    })  # fmt: skip


def _enlarge_disk(ground: Ground) -> None:
    setup.devcluster("mount", "-o", "remount,size=64m", ground.small_disk)


TROUBLES = [
    Trouble(
        "wrong-url",
        lambda g: g.fetched(model={"source": g.files.at("assets/no-such.onnx"), "sha256": g.files.sha256}),
        ("Stalled", "True", "SourceNotFound"),
        "404",
        lambda g: g.serve_rightly("wrong-url"),
    ),
    Trouble(
        "wrong-sum",
        lambda g: g.fetched(model={"source": g.files.url, "sha256": WRONG}),
        ("Stalled", "True", "ChecksumMismatch"),
        WRONG[:8],
        lambda g: g.serve_rightly("wrong-sum"),
    ),
    Trouble(
        "nobody-there",
        lambda g: g.fetched(model={"source": "http://nobody.invalid/voice.onnx", "sha256": WRONG}),
        ("Reconciling", "True", "SourceUnreachable"),
        "nobody.invalid",
        lambda g: g.serve_rightly("nobody-there"),
    ),
    Trouble(
        "full-disk",
        lambda g: g.fetched(storage={"size": "100Mi", "storageClassName": f"small-{g.tenant.namespace}"}),
        ("Stalled", "True", "DiskFull"),
        "increase spec.storage.size",
        _enlarge_disk,
    ),
    Trouble(
        "no-class",
        lambda g: g.fetched(storage={"size": "100Mi", "storageClassName": g.storage_class}),
        ("Reconciling", "True", "WaitingForVolume"),
        "class-of-",
        _make_class,
    ),
    Trouble(
        "no-gpu",
        lambda g: {"gpu": {"count": 1, "resourceName": GPU}},  # noqa: ARG005
        ("Reconciling", "True", "WaitingForGPU"),
        GPU,
        _offer_gpu,
    ),
    Trouble(
        "no-image",
        lambda g: {"image": {"repository": "localhost/no-such-image", "tag": "none"}},  # noqa: ARG005
        ("Reconciling", "True", "ImagePull"),
        "localhost/no-such-image:none",
        lambda g: g.tenant.serve("no-image"),
    ),
]


@pytest.fixture(scope="module")
def troubled(shared: Tenant, files: FileServer) -> Iterator[Ground]:
    """All troubled services at once: they wait side by side."""
    setup.need_devcluster("a full disk can be made")
    ground = Ground(shared, files)
    _make_small_disk(ground)
    for trouble in TROUBLES:
        shared.serve(trouble.name, **trouble.spec(ground))
    yield ground
    shared.delete("persistentvolume", shared.namespace)
    shared.delete("storageclass", ground.storage_class, "--ignore-not-found")
    (node, *_) = shared.list("node")
    shared.patch("node", node["metadata"]["name"], {"status": {"capacity": {GPU: None}}}, subresource="status")
    for trouble in TROUBLES:
        shared.delete("tts", trouble.name)
    eventually(lambda: not shared.list("pod"))
    setup.devcluster("umount", ground.small_disk)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_the_reason_is_clear(troubled: Ground, trouble: Trouble) -> None:
    message = troubled.tenant.until_condition(trouble.name, *trouble.condition)
    assert trouble.told in message
    assert "Traceback" not in message
    conditions = troubled.tenant.conditions(trouble.name)
    assert conditions["Ready"].startswith("False ")
    other = {"Stalled": "Reconciling", "Reconciling": "Stalled"}[trouble.condition[0]]
    assert not conditions.get(other, "False").startswith("True"), conditions


@pytest.fixture(scope="module")
def mended(troubled: Ground) -> Ground:
    """Everything is put right at once."""
    for trouble in TROUBLES:
        trouble.mend(troubled)
    return troubled


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_it_recovers_when_fixed(mended: Ground, trouble: Trouble) -> None:
    mended.tenant.until_ready(trouble.name)


def test_an_interrupted_download_resumes(tenant: Tenant, outside: Kubectl, worker_image: str) -> None:
    """The server hangs up in the middle, and is slow enough for a look at what is going on meanwhile."""
    server = serve_files(outside, "cut", worker_image, "--cut-after=3000000", "--slow=1000000")
    tenant.serve("english", engine="hibari", model=server.model)

    def halfway() -> Object | None:
        model: Object = tenant.service("english").get("status", {}).get("model", {})
        return model if model.get("bytes", 0) > 0 else None

    seen = eventually(halfway)
    assert seen["bytes"] < seen["totalBytes"]
    assert tenant.condition("english", "ModelReady")["reason"] == "Downloading"
    assert all(not _serves(pod) for pod in tenant.workers("english")), "a half-written model is never served"

    tenant.until_ready("english")
    first, second = (line for line in server.log().splitlines() if line.startswith("GET"))
    assert first.endswith("200 range=none sent=3000000 cut")
    resumed = re.search(r" 206 range=bytes=(\d+)- ", second)
    assert resumed, second
    assert 0 < int(resumed[1]) <= 3_000_000


def _serves(pod: Object) -> bool:
    return any(status.get("ready") for status in pod.get("status", {}).get("containerStatuses", []))
