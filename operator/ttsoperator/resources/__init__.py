"""The children of a TTSService: one pure builder module per kind."""

from ..live import Live, Manifest
from ..spec import TTSService
from . import claim, configmap, deployment, hpa, job, service, serviceaccount
from .pods import Defaults
from .serving import serving

__all__ = ["Defaults", "desired_children"]


def desired_children(wanted: TTSService, defaults: Defaults, live: Live) -> list[Manifest]:
    """Return the manifests that should exist now, in the order in which they are to be written.

    What runs the workers comes once there is a model to serve.
    """
    found = [serviceaccount.build(wanted)]
    if not wanted.builtin:
        if wanted.storage.existing_claim_name is None:
            found.append(claim.build(wanted, live))
        found.append(job.build(wanted, defaults))
    found.append(service.build(wanted))
    model = serving(wanted, live)
    if model is not None:
        found += [configmap.build(wanted, model), deployment.build(wanted, defaults, model)]
        if wanted.spec.autoscaling is not None:
            found.append(hpa.build(wanted, wanted.spec.autoscaling))
    return found
