"""The children of a TTSService: one pure builder module per kind."""

from ttsoperator.children.model import claim, job
from ttsoperator.children.pods import Defaults
from ttsoperator.children.worker import configmap, deployment, service, serviceaccount
from ttsoperator.children.worker.served_model import serving
from ttsoperator.kube.manifest import Manifest
from ttsoperator.kube.snapshot import Snapshot
from ttsoperator.scaling import hpa
from ttsoperator.spec import TTSService

__all__ = ["Defaults", "desired_children"]


def desired_children(wanted: TTSService, defaults: Defaults, snapshot: Snapshot) -> list[Manifest]:
    """Return the manifests that should exist now, in the order in which they are to be written.

    What runs the workers comes once there is a model to serve.
    """
    found = [serviceaccount.build(wanted)]
    if not wanted.builtin:
        if wanted.storage.existing_claim_name is None:
            found.append(claim.build(wanted, snapshot))
        found.append(job.build(wanted, defaults))
    found.append(service.build(wanted))
    model = serving(wanted, snapshot)
    if model is not None:
        found += [configmap.build(wanted, model), deployment.build(wanted, defaults, model)]
        if wanted.spec.autoscaling is not None:
            found.append(hpa.build(wanted, wanted.spec.autoscaling))
    return found
