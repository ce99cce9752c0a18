"""Clusters for the stories about hack/devcluster: the one that runs, and one of a test's own."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.devcluster import Devcluster, Namespace


@pytest.fixture(scope="session")
def cluster() -> Iterator[Devcluster]:
    """The user's cluster: left as it was found, so it is ended only where it did not run before."""
    devcluster = Devcluster()
    ran_before = devcluster.status()["ready"]
    devcluster.run("up")
    yield devcluster
    if not ran_before:
        devcluster.run("down")


@pytest.fixture
def namespace(cluster: Devcluster) -> Iterator[Namespace]:
    """A namespace of the test's own that enforces the level `restricted`."""
    name = f"devcluster-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    own = Namespace(cluster, name)
    # The controller makes it; a pod created before it is refused.
    own.wait("serviceaccount/default", "create")
    yield own
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Devcluster]:
    """A second cluster beside the user's, not yet started; nothing of it remains."""
    devcluster = Devcluster({"TTS_DEVCLUSTER_STATE": str(tmp_path / "state")})
    yield devcluster
    devcluster.run("down", "--purge")
