"""kubectl for tests: objects in and out as dictionaries."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

Object = dict[str, Any]

ROOT = Path(__file__).parents[3]

PATIENCE = 180.0
"""Seconds to wait for what takes a few on an idle machine: a busy one is no failure."""


class KubectlError(Exception):
    """kubectl failed; the message is what it wrote to standard error."""


@cache
def program() -> str:
    """The user's kubectl, or the one that hack/tools fetches."""
    found = subprocess.run([sys.executable, ROOT / "hack/tools", "kubectl"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@dataclass(frozen=True)
class Kubectl:
    """kubectl bound to one cluster and one namespace."""

    kubeconfig: Path
    namespace: str = "default"

    def within(self, namespace: str) -> Self:
        """The same cluster, another namespace."""
        return replace(self, namespace=namespace)

    def command(self, *arguments: str) -> list[str]:
        """The command line, for those that start it themselves."""
        return [program(), f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}", *arguments]

    def __call__(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What kubectl printed. Raises KubectlError."""
        done = subprocess.run(
            self.command(*arguments), input=stdin, capture_output=True, text=True, check=False, timeout=timeout
        )
        if done.returncode:
            raise KubectlError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def apply(self, *objects: Object) -> None:
        """Apply as a user does. Raises KubectlError with the API's message."""
        self("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def get(self, kind: str, name: str) -> Object:
        """One object. Raises KubectlError where there is none."""
        found: Object = json.loads(self("get", kind, name, "-o", "json"))
        return found

    def find(self, kind: str, name: str) -> Object | None:
        """One object, or None where there is none."""
        text = self("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text else None

    def list(self, kinds: str, selector: str = "") -> list[Object]:
        """Every object of these kinds (comma-separated) that the label selector names."""
        items: list[Object] = json.loads(self("get", kinds, "-o", "json", f"--selector={selector}"))["items"]
        return items

    def patch(self, kind: str, name: str, change: Object, subresource: str = "") -> None:
        """Merge a change into an object."""
        part = [f"--subresource={subresource}"] if subresource else []
        self("patch", kind, name, "--type=merge", "-p", json.dumps(change), *part)

    def delete(self, kind: str, name: str, *options: str) -> None:
        """Ask for an object's deletion; does not wait until it is gone."""
        self("delete", kind, name, "--wait=false", *options)

    def wait(self, kind: str, *names_and_for: str) -> None:
        """kubectl wait, with the patience of all waits here."""
        self("wait", kind, *names_and_for, f"--timeout={PATIENCE:.0f}s", timeout=PATIENCE + 30)

    def names(self, kinds: str, selector: str = "") -> Iterable[str]:
        """kind/name of every object of these kinds."""
        return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in self.list(kinds, selector))
