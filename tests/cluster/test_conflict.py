"""The operator never takes over an object that already has a child's name."""

from tests.support.cluster.kubectl import Object
from tests.support.cluster.tenant import Tenant


def _content(service: Object) -> tuple[str, Object]:
    return service["metadata"]["resourceVersion"], service["spec"]


def test_a_users_own_service_is_left_alone(tenant: Tenant) -> None:
    port = [{"port": 80}]
    tenant.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "mine"},
            "spec": {"clusterIP": "None", "ports": port},
        }
    )
    mine = tenant.get("service", "mine")

    tenant.serve("mine")
    message = tenant.until_condition("mine", "Stalled", "True", "NameConflict")
    assert "Service" in message
    assert "mine" in message
    assert _content(tenant.get("service", "mine")) == _content(mine)

    tenant.delete("service", "mine")
    tenant.until_ready("mine")

    # Nor does its deletion touch what is not its own.
    tenant.delete("tts", "mine")
    tenant.wait("service", "mine", "--for=delete")
