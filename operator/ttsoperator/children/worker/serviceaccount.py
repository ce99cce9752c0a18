"""ServiceAccount of the pods: without any rights, so that they do not run as the namespace's default."""

from ttsoperator import names
from ttsoperator.children.context import Context
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.metadata import metadata, with_applied_hash


def build(context: Context) -> Manifest:
    """Return the ServiceAccount."""
    service = context.service
    return with_applied_hash(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(service, names.service_account_name(service.name), names.Component.WORKER),
            "automountServiceAccountToken": False,
        }
    )
