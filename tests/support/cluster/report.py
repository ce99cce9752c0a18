"""What is shown of the cluster when a story fails."""

from tests.support.cluster.installed import Operator
from tests.support.cluster.kubectl import Kubectl, KubectlError
from tests.support.cluster.tenant import Tenant

Section = tuple[str, str]


def describe(what: Tenant | Operator) -> list[Section]:
    """Title and text of each thing worth seeing."""
    if isinstance(what, Operator):
        return [("operator's log", _try(what.kubectl, "logs", "-lapp.kubernetes.io/component=operator", "--tail=60"))]
    title = f"namespace {what.namespace}: "
    commands = {
        "objects": ("get", "tts,all,pvc,hpa", "-o", "wide"),
        "TTSServices": ("get", "tts", "-o", "yaml"),
        "events": ("get", "events", "--sort-by=.metadata.creationTimestamp"),
        "workers' logs": ("logs", "-lapp.kubernetes.io/managed-by=tts-operator", "--tail=20", "--prefix"),
    }
    return [(title + name, _try(what, *command)) for name, command in commands.items()]


def _try(kubectl: Kubectl, *command: str) -> str:
    try:
        return kubectl(*command)
    except KubectlError as error:  # half a picture is better than none, and the story's own failure counts
        return f"({error})"
