"""Two replicas: one writes, and when it is killed the other takes over."""

from collections.abc import Iterator

import pytest

from tests.support.cluster import setup
from tests.support.cluster.installed import Operator
from tests.support.cluster.kubectl import Object
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

pytestmark = pytest.mark.alone


@pytest.fixture
def two(operator: Operator) -> Iterator[Operator]:
    """The operator with a second replica."""
    operator.scale(2)
    yield operator
    operator.scale(1)


def test_the_other_replica_takes_over(tenant: Tenant, two: Operator) -> None:
    first = eventually(lambda: _leader(two))
    mark = two.audit.now()
    tenant.serve("before")
    tenant.until_ready("before")
    assert {write.pod for write in two.writes_since(mark)} == {first["metadata"]["name"]}

    assert _kill(first)
    mark = two.audit.now()
    tenant.serve("after")
    second = eventually(lambda: _another(two, first))
    tenant.until_ready("after")
    assert {write.pod for write in two.writes_since(mark)} == {second["metadata"]["name"]}


def _leader(operator: Operator) -> Object | None:
    """The pod that holds the Lease: the identity begins with its name."""
    holder = operator.leader()
    return next((pod for pod in operator.pods() if holder.startswith(pod["metadata"]["name"])), None)


def _another(operator: Operator, first: Object) -> Object | None:
    """The pod that leads instead; kubelet starts the first one again, which would run for the Lease as well."""
    _kill(first)
    leader = _leader(operator)
    return leader if leader and leader["metadata"]["name"] != first["metadata"]["name"] else None


# The container's processes are found by the pod's uid in the name of their cgroup.
KILL = """
for process in $(grep -l "$0" /proc/[0-9]*/cgroup | cut -d/ -f3); do
    if grep -q ttsoperator "/proc/$process/cmdline"; then kill -9 "$process" && echo killed; fi
done
"""


def _kill(pod: Object) -> bool:
    """SIGKILL to the operator's process: no chance to let go of the Lease. Tells whether there was one."""
    setup.need_devcluster("a process can be killed")
    return setup.devcluster("sh", "-c", KILL, _cgroup(pod["metadata"]["uid"])) == "killed"


def _cgroup(uid: str) -> str:
    """A pattern for the pod's uid as both cgroup drivers write it."""
    return uid.replace("-", "[-_]")
