"""The output of `status`: the parts, the node, memory, and where the files are."""

import json
import urllib.error
from typing import Any

from devcluster import bootstrap, lifecycle, processes
from devcluster.api import Api
from devcluster.config import NODE
from devcluster.paths import State


def describe(state: State) -> dict[str, Any]:
    """Return the state of a cluster as a document; `ready` summarises it."""
    running = processes.find(state)
    report = lifecycle.read_report(state) if running and running.first else {}
    parts = _parts(running.first, report) if running and running.first else {}
    node_ready = bool(report) and _node_is_ready(state, report)
    return {
        "phase": report.get("phase", "down"),
        "message": report.get("message", ""),
        "ready": report.get("phase") == "ready" and not report.get("ended") and node_ready,
        "node": {"name": NODE, "ready": node_ready},
        "parts": parts,
        "memoryBytes": sum(part.get("memoryBytes", 0) for part in parts.values()),
        "server": f"https://127.0.0.1:{report['port']}" if report else "",
        "programs": report.get("programs", ""),
        "state": str(state.root),
        "kubeconfig": str(state.kubeconfig),
        "auditLog": str(state.audit_log),
        "logs": str(state.logs),
        "podLogs": str(state.host_logs / "pods"),
        "volumes": str(state.volumes),
    }


def as_json(document: dict[str, Any]) -> str:
    """For programs."""
    return json.dumps(document, indent=1)


def as_text(document: dict[str, Any]) -> str:
    """For people."""
    node = "Ready" if document["node"]["ready"] else "not Ready"
    lines = [f"{document['phase']} {document['message']}".strip()]
    if document["parts"]:
        lines.append(f"node {document['node']['name']} {node}, {document['memoryBytes'] / 1e6:.0f} MB")
    for name, part in document["parts"].items():
        runs = "pid" in part
        facts = f"pid {part['pid']:<8}{part['memoryBytes'] / 1e6:5.0f} MB" if runs else f"exit code {part['exitCode']}"
        lines.append(f"  {name:20}{part['state']:10}{facts}")
    lines += [
        f"{name:11}{document[name]}" for name in ("kubeconfig", "auditLog", "logs", "podLogs", "volumes", "programs")
    ]
    return "\n".join(lines)


def _parts(first: int, report: dict[str, Any]) -> dict[str, Any]:
    outside = processes.inside(first)
    parts: dict[str, Any] = {}
    for name, inner in report.get("running", {}).items():
        if pid := outside.get(inner):
            parts[name] = {"state": "running", "pid": pid, "memoryBytes": processes.memory(pid)}
    for name, code in report.get("ended", {}).items():
        parts[name] = {"state": "ended", "exitCode": code}
    return parts


def _node_is_ready(state: State, report: dict[str, Any]) -> bool:
    try:
        node = Api(report["port"], state.pki).get(f"/api/v1/nodes/{NODE}")
    except (urllib.error.URLError, OSError):
        return False
    return node is not None and bootstrap.node_is_ready(node)
