"""The row of the HorizontalPodAutoscaler; `scaling.hpa` renders it."""

from ttsoperator.children.context import Context
from ttsoperator.kube.manifest import Manifest
from ttsoperator.scaling import hpa


def build(context: Context) -> Manifest | None:
    """Return the HorizontalPodAutoscaler, None without `spec.autoscaling` or before the workers exist."""
    autoscaling = context.service.spec.autoscaling
    if autoscaling is None or context.serving is None:
        return None
    return hpa.build(context.service, autoscaling)


def unwanted(_manifest: Manifest, context: Context) -> str | None:
    """Return why to delete it: only if the spec disables autoscaling."""
    return "autoscaling is switched off" if context.service.spec.autoscaling is None else None
