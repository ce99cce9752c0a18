"""Images load into the cluster by name or from an archive, and never twice."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devcluster import Devcluster, Namespace, archive, pod

pytestmark = [pytest.mark.devcluster, pytest.mark.timeout(1800)]


@pytest.fixture
def name(cluster: Devcluster) -> Iterator[str]:
    """The name of an image that is gone afterwards."""
    name = f"localhost/devcluster-test-{uuid.uuid4().hex[:8]}:dev"
    yield name
    if name in images(cluster):
        cluster.inside("ctr", "images", "remove", name)


def images(cluster: Devcluster) -> dict[str, str]:
    """Names of what containerd has, and the digest of each."""
    rows = [line.split() for line in cluster.inside("ctr", "images", "list").splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


def test_an_archive_is_loaded_once_and_a_pod_runs_from_it(namespace: Namespace, name: str, tmp_path: Path) -> None:
    cluster = namespace.cluster
    file = str(archive(tmp_path, name, cluster.probe, "first"))
    assert f"loading {name}" in cluster.run("load", file).stderr
    assert cluster.run("load", file).stderr == f"devcluster: {name} is loaded already\n"

    namespace.apply(pod("runner", image=name))
    namespace.wait("pod/runner", "condition=Ready")


def test_a_newer_image_takes_the_name_and_the_old_one_is_removed(
    cluster: Devcluster, name: str, tmp_path: Path
) -> None:
    cluster.run("load", str(archive(tmp_path, name, cluster.probe, "first")))
    old = images(cluster)[name]
    cluster.run("load", str(archive(tmp_path, name, cluster.probe, "second")))
    assert images(cluster)[name] != old
    assert old not in images(cluster).values()


def test_an_image_of_buildahs_is_found_by_name_and_only_new_layers_are_stored(
    namespace: Namespace, name: str, tmp_path: Path
) -> None:
    cluster = namespace.cluster
    (tmp_path / "pause").write_bytes(cluster.probe.read_bytes())
    (tmp_path / "pause").chmod(0o755)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY pause /\nCOPY text /\nENTRYPOINT ['/pause']\n")

    built = []

    def build(text: str) -> str:
        (tmp_path / "text").write_text(text)
        command = ["buildah", "bud", "--quiet", "--layers", "--tag", name, str(tmp_path)]
        built.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
        layers = ["buildah", "inspect", "--type", "image", "--format", "{{index .OCIv1.RootFS.DiffIDs 0}}", name]
        return subprocess.run(layers, check=True, capture_output=True, text=True).stdout.strip()

    try:
        shared = build("first")
        cluster.run("load", name)
        blobs = Path(cluster.status()["state"], "containerd/io.containerd.content.v1.content/blobs/sha256")
        blob = blobs / shared.removeprefix("sha256:")
        written = blob.stat()

        assert build("second") == shared
        cluster.run("load", name)
        assert (blob.stat().st_ino, blob.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)

        namespace.apply(pod("runner", "/pause", image=name))
        namespace.wait("pod/runner", "condition=Ready")
    finally:
        subprocess.run(["buildah", "rmi", "--force", *reversed(built)], check=True, capture_output=True)


def test_an_invalid_archive_is_reported_in_one_line(cluster: Devcluster, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    broken.write_text("no archive at all")
    refused = cluster.run("load", str(broken), check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "is not an image archive" in refused.stderr
