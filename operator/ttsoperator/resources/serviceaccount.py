"""ServiceAccount of the pods: it exists so that they do not run as the namespace's default, and may do nothing."""

from .. import names
from ..live import Manifest
from ..spec import TTSService
from .common import metadata, sealed


def build(service: TTSService) -> Manifest:
    """Return the ServiceAccount."""
    return sealed(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(service, names.service_account_name(service.name), names.Component.WORKER),
            "automountServiceAccountToken": False,
        }
    )
