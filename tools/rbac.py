"""Render what the operator may do, from the rows of its children: `python -m tools.rbac [ROOT]`.

Writes the rules of the chart's roles (charts/tts-operator/files/rules/namespace.yaml) and the table in docs/install.md.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ttsoperator.children.registry import CHILDREN, Child
from ttsoperator.kube.resources import EVENT, LEASE, POD, STORAGE_CLASS, TTS_SERVICE

RULES: Final = Path("charts/tts-operator/files/rules/namespace.yaml")
GUIDE: Final = Path("docs/install.md")
BEGIN: Final = (
    "<!-- Generated from operator/ttsoperator/children/registry.py by `python -m tools.rbac`; do not edit. -->\n"
)
END: Final = "<!-- End of the generated table. -->\n"


@dataclass(frozen=True)
class Right:
    """Verbs on some resources of an API group, and what the operator needs them for."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str


OWN: Final = (
    Right(
        TTS_SERVICE.group, (TTS_SERVICE.plural,), ("get", "list", "watch"),
        "the desired state; the operator never changes it",
    ),
    Right(TTS_SERVICE.group, (f"{TTS_SERVICE.plural}/status",), ("patch",), "the observed state"),
    Right(
        TTS_SERVICE.group, (f"{TTS_SERVICE.plural}/finalizers",), ("update",),
        "OpenShift requires it to create a child that blocks its owner's deletion; the operator sets no finalizer",
    ),
)  # fmt: skip
PODS_AND_EVENTS: Final = (
    Right(POD.group, (POD.plural,), ("list", "watch"), "why a worker does not start, and the addresses of its metrics"),
    Right(
        EVENT.group, (EVENT.plural,), ("get", "list", "create", "patch"),
        "to record transitions, and to read a provisioner's warnings about a claim",
    ),
)  # fmt: skip
ELSEWHERE: Final = (
    Right(
        STORAGE_CLASS.group, (STORAGE_CLASS.plural,), ("list",),
        "cluster-wide: why a claim is not bound; absent with `watchNamespaces`, and then the status says less",
    ),
    Right(
        LEASE.group, (LEASE.plural,), ("create", "get", "update"),
        "in its own namespace: which replica writes; get and update only of its own Lease",
    ),
)  # fmt: skip
"""Rights of other roles than the one of each namespace; the chart's rbac.yaml has them."""


def children(rows: Iterable[Child] = CHILDREN) -> list[Right]:
    """Return the rights to the children's kinds: one a group and set of verbs."""
    whys: dict[tuple[str, tuple[str, ...]], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        verbs = ("get", "list", *(() if row.resource.optional else ("watch",)), "create", "patch", "delete")
        whys[row.resource.group, verbs][row.resource.plural].append(row.why)
    found = []
    for (group, verbs), resources in whys.items():
        plurals = tuple(sorted(resources))
        found.append(Right(group, plurals, verbs, ", ".join(why for plural in plurals for why in resources[plural])))
    return sorted(found, key=lambda right: (not right.group, right.group, right.verbs))  # the core group last


def rules(rows: Iterable[Child] = CHILDREN) -> str:
    """Return the rules of the role of each namespace, as YAML."""
    parts = ["# Generated from operator/ttsoperator/children/registry.py by `python -m tools.rbac`; do not edit.\n"]
    for right in [*OWN, *children(rows), *PODS_AND_EVENTS]:
        group = right.group or '""'
        parts.append(f"# {right.why}\n- apiGroups: [{group}]\n")
        parts.append(f"  resources: [{', '.join(right.resources)}]\n  verbs: [{', '.join(right.verbs)}]\n")
    return "".join(parts)


def table(rows: Iterable[Child] = CHILDREN) -> str:
    """Return every right as a table in Markdown."""
    lines = ["| API group | resources | verbs | why |\n|---|---|---|---|\n"]
    for right in [*OWN, *children(rows), *PODS_AND_EVENTS, *ELSEWHERE]:
        resources, verbs = ", ".join(right.resources), ", ".join(right.verbs)
        lines.append(f"| `{right.group or 'core'}` | `{resources}` | {verbs} | {right.why} |\n")
    return "".join(lines)


def with_table(guide: str) -> str:
    """Return the guide with the table between its markers."""
    before, _, rest = guide.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(arguments: list[str]) -> None:
    """Write both files below a folder, the current one when none is named."""
    root = Path(arguments[0] if arguments else ".")
    (root / RULES).parent.mkdir(parents=True, exist_ok=True)
    (root / RULES).write_text(rules(), encoding="utf-8")
    (root / GUIDE).write_text(with_table((root / GUIDE).read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{root / RULES}\n{root / GUIDE}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
