"""The cluster tests' common ground: one Kubernetes, one operator installed by the chart, a namespace for each story.

KUBECONFIG names another cluster than hack/devcluster's; its nodes then need the images (docs/devcluster.md tells how).
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.support.cluster import setup
from tests.support.cluster.audit import AuditLog
from tests.support.cluster.client import Client
from tests.support.cluster.files import FileServer, serve_files
from tests.support.cluster.installed import NAMESPACE, Operator
from tests.support.cluster.kubectl import Kubectl
from tests.support.cluster.report import describe
from tests.support.cluster.tenant import Tenant


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder needs a cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(900))  # the waits inside have limits of their own, which tell more


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the cluster looked like when a story failed."""
    report = yield
    if report.when == "call" and report.failed:
        for fixture in getattr(item, "funcargs", {}).values():
            if isinstance(fixture, Tenant | Operator):
                report.sections.extend(describe(fixture))
    return report


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def kubectl(ground: Path) -> Kubectl:
    """kubectl as the administrator of the cluster KUBECONFIG names, else of hack/devcluster's, which is brought up."""
    with setup.one_at_a_time(ground):
        return Kubectl(setup.kubeconfig())


@pytest.fixture(scope="session")
def worker_image(kubectl: Kubectl, ground: Path) -> str:  # noqa: ARG001
    """The worker's image, present on the nodes."""
    with setup.one_at_a_time(ground):
        return setup.images().worker


@pytest.fixture(scope="session")
def audit(kubectl: Kubectl) -> AuditLog:  # noqa: ARG001
    """The API server's audit log."""
    return setup.audit_log()


@pytest.fixture(scope="session")
def operator(kubectl: Kubectl, worker_image: str, audit: AuditLog, ground: Path) -> Operator:  # noqa: ARG001
    """The operator, installed by its chart and running as a pod: by the first process of the run that needs it."""
    with setup.one_at_a_time(ground):
        installed = ground / "installed"
        if not installed.exists():
            setup.install(kubectl)
            installed.touch()
    operator = Operator(kubectl.within(NAMESPACE), audit)
    operator.until_running(1)
    return operator


@pytest.fixture(scope="session")
def outside(kubectl: Kubectl) -> Iterator[Kubectl]:
    """A namespace beside those of the stories, for the pods that ask and that serve files."""
    with setup.namespace(kubectl, "outside") as name:
        yield kubectl.within(name)


@pytest.fixture(scope="session")
def client(outside: Kubectl, worker_image: str) -> Client:
    """A pod that asks for speech by DNS name."""
    return Client.start(outside, worker_image)


@pytest.fixture(scope="session")
def files(outside: Kubectl, worker_image: str) -> FileServer:
    """Serves the embedded voice's model, as a web server should."""
    return serve_files(outside, "files", worker_image)


@pytest.fixture
def tenant(kubectl: Kubectl, operator: Operator, request: pytest.FixtureRequest) -> Iterator[Tenant]:  # noqa: ARG001
    """A namespace of the story's own."""
    story = request.node.originalname.removeprefix("test_").replace("_", "-")
    with setup.namespace(kubectl, story) as name:
        yield Tenant(kubectl.kubeconfig, name)


@pytest.fixture(scope="module")
def shared(kubectl: Kubectl, operator: Operator, request: pytest.FixtureRequest) -> Iterator[Tenant]:  # noqa: ARG001
    """One namespace for all stories of a module."""
    module = Path(request.path).stem.removeprefix("test_").replace("_", "-")
    with setup.namespace(kubectl, module) as name:
        yield Tenant(kubectl.kubeconfig, name)
