"""What the API server's audit log says of who wrote what."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WRITES = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass(frozen=True)
class Write:
    """One mutating request that the API server answered."""

    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    pod: str
    """The pod whose token was used, if it was a pod's."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.namespace}/{self.name} -> {self.code}"


@dataclass(frozen=True)
class AuditLog:
    """The audit log of a cluster: one JSON object a line, appended to."""

    path: Path

    def now(self) -> int:
        """A mark in the log: everything after it is newer."""
        return self.path.stat().st_size

    def writes(self, user: str, since: int) -> Sequence[Write]:
        """Every write by this user after the mark, but those to Leases: holding one is the sign of life of a leader."""
        with self.path.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")[:-1]  # what follows the last newline is still being written
        entries = [json.loads(line) for line in lines if user.encode() in line]
        return [
            Write(
                entry["verb"],
                "/".join(filter(None, [what["resource"], what.get("subresource")])),
                what.get("namespace", ""),
                what.get("name", ""),
                entry.get("responseStatus", {}).get("code", 0),
                entry["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [""])[0],
            )
            for entry in entries
            if entry["stage"] == "ResponseComplete"
            and entry["user"]["username"] == user
            and entry["verb"] in WRITES
            and (what := entry.get("objectRef", {})).get("resource") != "leases"
        ]
