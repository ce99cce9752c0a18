"""A namespace with TTSServices in it, in the words of the stories."""

from typing import Any

from tests.support.cluster.kubectl import PATIENCE, Kubectl, Object
from tests.support.cluster.manifests import tts_service
from tests.support.cluster.waiting import eventually

SERVICE_LABEL = "tts-operator.io/service"
CHILDREN = "serviceaccount,configmap,persistentvolumeclaim,job,deployment,service,horizontalpodautoscaler"


class Tenant(Kubectl):
    """kubectl in one namespace, with what TTSServices need said often."""

    def serve(self, name: str, **spec: Any) -> None:
        """Apply a TTSService as a user does: what is not in the spec any more is removed."""
        self.apply(tts_service(name, **spec))

    def service(self, name: str) -> Object:
        """The TTSService."""
        return self.get("tts", name)

    def condition(self, name: str, kind: str) -> Object:
        """One of its conditions; empty before it is there."""
        conditions = self.service(name).get("status", {}).get("conditions", [])
        return next((condition for condition in conditions if condition["type"] == kind), {})

    def conditions(self, name: str) -> dict[str, str]:
        """Type to `status reason: message` of all conditions."""
        conditions = self.service(name).get("status", {}).get("conditions", [])
        return {each["type"]: f"{each['status']} {each['reason']}: {each.get('message', '')}" for each in conditions}

    def until_ready(self, name: str, within: float = PATIENCE) -> Object:
        """Wait until the current generation is Ready; returns its status."""

        def ready() -> Object:
            service = self.service(name)
            status: Object = service.get("status", {})
            assert status.get("observedGeneration") == service["metadata"]["generation"], "not observed yet"
            told = self.conditions(name)
            assert told["Ready"].startswith("True"), told
            return status

        return eventually(ready, within)

    def until_condition(self, name: str, kind: str, status: str, reason: str, within: float = PATIENCE) -> str:
        """Wait until a condition of the current generation has this status and reason; returns its message."""

        def reached() -> str:
            service = self.service(name)
            told = self.conditions(name)
            assert service["status"]["observedGeneration"] == service["metadata"]["generation"], "not observed yet"
            assert told.get(kind, "").startswith(f"{status} {reason}: "), f"wanted {kind}={status} {reason}; {told}"
            return told[kind].partition(": ")[2]

        return eventually(reached, within)

    def children(self, name: str) -> list[Object]:
        """Everything that the operator made for this service."""
        return self.list(CHILDREN, f"{SERVICE_LABEL}={name}")

    def child_names(self, name: str) -> list[str]:
        """kind/name of everything that the operator made for this service."""
        return sorted(f"{child['kind']}/{child['metadata']['name']}" for child in self.children(name))

    def workers(self, name: str) -> list[Object]:
        """Its worker pods that are not being deleted."""
        pods = self.list("pod", f"{SERVICE_LABEL}={name},app.kubernetes.io/component=worker")
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def events(self, kind: str, name: str) -> list[str]:
        """`reason: message` of every event about an object."""
        events = self("get", "events", f"--field-selector=involvedObject.kind={kind},involvedObject.name={name}",
                      "-o", 'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}')  # fmt: skip
        return events.splitlines()
