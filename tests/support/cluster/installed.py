"""The operator under test, as the chart installed it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.cluster.audit import AuditLog, Write
from tests.support.cluster.kubectl import Kubectl, Object
from tests.support.cluster.waiting import eventually

NAMESPACE = "tts-system"
RELEASE = "tts-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
SELECTOR = "app.kubernetes.io/component=operator"


@dataclass(frozen=True)
class Operator:
    """The release in tts-system."""

    kubectl: Kubectl
    audit: AuditLog

    def writes_since(self, mark: int) -> Sequence[Write]:
        """What the operator's user wrote after a mark of the audit log, renewals of its Lease left out."""
        return self.audit.writes(USER, mark)

    def logs(self, lines: int = 60) -> str:
        """The last lines of every replica's log."""
        return self.kubectl("logs", f"--selector={SELECTOR}", f"--tail={lines}", "--prefix")

    def pods(self) -> list[Object]:
        """Its pods that are not being deleted."""
        pods = self.kubectl.list("pod", SELECTOR)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def leader(self) -> str:
        """Name of the pod that holds the Lease."""
        holder: str = self.kubectl.get("lease", RELEASE)["spec"].get("holderIdentity", "")
        return holder

    def scale(self, replicas: int) -> None:
        """Run this many replicas; returns when exactly they are there and ready."""
        self.kubectl("scale", f"deployment/{RELEASE}", f"--replicas={replicas}")
        self.until_running(replicas)

    def restart(self) -> None:
        """Replace its pods at once, as a crash would."""
        self.kubectl("delete", "pod", f"--selector={SELECTOR}", "--grace-period=0", "--force", "--wait=false")
        self.until_running(1)

    def until_running(self, replicas: int) -> None:
        """Wait until exactly so many pods are there, all ready."""

        def running() -> bool:
            pods = self.kubectl.list("pod", SELECTOR)
            ready = [pod for pod in pods if is_ready(pod)]
            assert len(pods) == len(ready) == replicas, json.dumps([pod.get("status") for pod in pods])[-1500:]
            return True

        eventually(running)


def is_ready(pod: Object) -> bool:
    """Whether a pod takes requests and is not on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
