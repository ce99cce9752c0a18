"""Many services at once; afterwards the idle operator writes nothing."""

import time

import pytest

from tests.support.cluster.installed import Operator
from tests.support.cluster.manifests import tts_service
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually

pytestmark = pytest.mark.alone

NAMES = [f"voice-{number}" for number in range(10)]
REST = 60.0
"""Seconds that nothing may be written in."""


def test_ten_at_once_and_then_nothing_is_written(tenant: Tenant, operator: Operator) -> None:
    tenant.apply(*(tts_service(name) for name in NAMES))
    for name in NAMES:
        tenant.until_ready(name)
    children = {name: tenant.child_names(name) for name in NAMES}
    assert {len(names) for names in children.values()} == {4}, children
    _until_still(tenant, operator)

    mark = operator.audit.now()
    time.sleep(REST)
    assert operator.writes_since(mark) == []

    # A restart finds everything as it should be, and leaves it so.
    mark = operator.audit.now()
    operator.restart()
    time.sleep(REST)
    assert operator.writes_since(mark) == []


def _until_still(tenant: Tenant, operator: Operator) -> None:
    """Wait until the namespaces of earlier stories are gone and nobody has anything to do."""

    def still() -> bool:
        leaving = [
            each["metadata"]["name"] for each in tenant.list("namespace") if "deletionTimestamp" in each["metadata"]
        ]
        assert not leaving, leaving
        mark = operator.audit.now()
        time.sleep(5)
        return not operator.writes_since(mark)

    eventually(still)
