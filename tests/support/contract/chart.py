"""Render the chart as Helm does: the objects it makes, or the message it refuses with."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ttsoperator.kube.manifest import Manifest

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts/tts-operator"
NAMESPACE = "tts-system"


Values = dict[str, Any]


class Refused(Exception):
    """Helm's own words about why it would not render."""


@cache
def helm() -> str:
    """Path of a recent enough helm; fetched once where the machine has none."""
    found = subprocess.run(
        [sys.executable, ROOT / "hack/tools", "helm"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return found.stdout.strip()


def run_helm(*arguments: str | Path, values: Values | None = None) -> str:
    """What helm prints. Raises Refused."""
    told = subprocess.run(
        [helm(), *arguments, "--namespace", NAMESPACE, "--values", "-"],
        check=False,
        input=json.dumps(values or {}),
        capture_output=True,
        text=True,
    )
    if told.returncode:
        raise Refused(told.stderr)
    return told.stdout


def render_anew(values: Values | None = None, release: str = "tts-operator") -> list[Manifest]:
    """The objects of a release. Raises Refused."""
    text = run_helm("template", release, CHART, values=values)
    return [manifest for manifest in yaml.load_all(text, yaml.CSafeLoader) if manifest]


def render(values: Values | None = None, release: str = "tts-operator") -> list[Manifest]:
    """The same, remembered for the next test that asks: only the certificate in it is random. Raises Refused."""
    return deepcopy(_remembered(json.dumps(values or {}), release))


@cache
def _remembered(values: str, release: str) -> list[Manifest]:
    return render_anew(json.loads(values), release)


def notes(values: Values | None = None) -> str:
    """What Helm tells who has installed it."""
    return run_helm("install", "tts-operator", CHART, "--dry-run=client", values=values).partition("\nNOTES:\n")[2]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    """Those of one kind."""
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only one of its kind."""
    (found,) = of_kind(manifests, kind)
    return found


def pod_spec(manifests: list[Manifest]) -> Manifest:
    """The operator's pod template's spec."""
    spec: Manifest = one(manifests, "Deployment")["spec"]["template"]["spec"]
    return spec


def environment(manifests: list[Manifest]) -> dict[str, Any]:
    """The operator's environment: values, or where they come from."""
    (container,) = pod_spec(manifests)["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


VALUE_SETS: dict[str, Values] = {
    "default": {},
    "two replicas": {"replicas": 2},
    "namespaced": {"watchNamespaces": ["voices", "more-voices"]},
    "own certificate": {"customMetrics": {"certificate": {"existingSecret": "tls", "caBundle": "QUJD"}}},
    "cert-manager": {"customMetrics": {"certificate": {"existingSecret": "tls", "injectCaFrom": "tts-system/tls"}}},
    "no metrics": {"customMetrics": {"enabled": False}},
    "nothing shared": {
        "crds": {"install": False},
        "rbac": {"aggregateRoles": False},
        "customMetrics": {"enabled": False},
    },
    "placed": {
        "priorityClassName": "system-cluster-critical",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "imagePullSecrets": [{"name": "registry"}],
        "podLabels": {"team": "voice"},
        "podAnnotations": {"note": "here"},
    },
}
