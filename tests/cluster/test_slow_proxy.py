"""A rollout loses no request on a node whose kube-proxy hears late that a worker stops."""

import pytest

from tests.support.cluster import setup
from tests.support.cluster.client import Client
from tests.support.cluster.tenant import Tenant
from tests.support.cluster.waiting import eventually
from tests.support.judge import SENTENCES

pytestmark = pytest.mark.alone

LATE_SECONDS = 10

# The brackets keep the pattern from finding this shell.
PAUSE_PROXY = """
proxy=$(grep -al "proxy-mode[=]nftables" /proc/[0-9]*/cmdline | cut -d/ -f3)
trap 'kill -CONT $proxy' EXIT
kill -STOP $proxy && sleep "$0" && echo "paused $(echo $proxy | wc -w)"
"""


def test_a_rollout_loses_nothing_while_kube_proxy_is_late(tenant: Tenant, client: Client) -> None:
    setup.need_devcluster("kube-proxy can be stopped")
    tenant.serve("english", rollout=None)
    url = tenant.until_ready("english")["url"]
    (old,) = tenant.workers("english")
    name = old["metadata"]["name"]

    with client.steadily(url, SENTENCES[0]) as load:
        tenant.serve("english", rollout=None, serving={"maxQueueLength": 63})
        eventually(lambda: "deletionTimestamp" in tenant.get("pod", name)["metadata"], every=0.1)
        assert setup.devcluster("sh", "-c", PAUSE_PROXY, str(LATE_SECONDS)) == "paused 1"
        assert tenant.find("pod", name), "the old worker still answers"
        tenant.wait("pod", "--for=delete", name)

    assert load.answers.keys() == {"200"}, load.answers
    assert load.answers["200"] > 20, load.answers
