"""Renders what the metrics catalogue is the source of: `python -m tools.metrics [FOLDER]`.

That is docs/metrics.md, and the chart's rule by which the autoscaler may read the metrics of scaling targets.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from ttscontract.metric import Exporter, Metric, Scope
from ttscontract.metrics import CATALOGUE, SCALING_TARGETS
from ttscontract.pods import METRICS_PORT
from ttsoperator import names
from ttsoperator.servers.custom_metrics import API_GROUP

PAGE: Final = Path("docs/metrics.md")
RULES: Final = Path("charts/tts-operator/files/rules/custom-metrics.yaml")

_SOURCE: Final = "Generated from contract/ttscontract/metrics.py by `python -m tools.metrics`; do not edit."
_INTRO: Final = f"""\
# Metrics

<!-- {_SOURCE} -->

Every program answers `/metrics` on port {METRICS_PORT} in the text format of Prometheus. The worker also exports
`python_info`, `python_gc_*` and `process_*`, and the operator `process_*`. No label holds a word that a client sent.
"""
_TITLES: Final = {
    Exporter.WORKER: "Worker",
    Exporter.DOWNLOAD: "Download of a model",
    Exporter.OPERATOR: "Operator",
}
_AUTOSCALING: Final = """\
## Autoscaling

The operator serves these metrics in `custom.metrics.k8s.io`, for the HorizontalPodAutoscaler that it makes and for
your own. A field of `spec.autoscaling.targets` sets the average per worker that the autoscaler aims at.

| metric | field | of a TTSService | of a worker pod |
|---|---|---|---|"""
_SERVED: Final = {Scope.OBJECT: "sum over its Ready workers | yes", Scope.PODS: "no | yes"}


def page() -> str:
    """Return docs/metrics.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRO
    for exporter, title in _TITLES.items():
        yield f"## {title}\n\n| metric | type | unit | meaning |\n|---|---|---|---|"
        yield from (_row(metric) for metric in CATALOGUE if metric.exported_by is exporter)
        yield ""
    yield _AUTOSCALING
    for metric in CATALOGUE:
        if metric.scope:
            field = f"`{metric.scaling.field}`" if metric.scaling else ""
            yield f"| `{metric.name}` | {field} | {_SERVED[metric.scope]} |"
    yield ""


def _row(metric: Metric) -> str:
    labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
    return f"| `{metric.name}{labels}` | {metric.type} | {metric.unit} | {metric.help} |"


def rules() -> str:
    """Return the rules of the autoscaler. To RBAC, the path /pods/NAME/METRIC is the subresource METRIC of pods."""
    owners = {Scope.OBJECT: f"{names.PLURAL}.{names.GROUP}", Scope.PODS: "pods"}
    resources = [f"{owners[metric.scope]}/{metric.name}" for metric in SCALING_TARGETS if metric.scope]
    rule = {"apiGroups": [API_GROUP], "resources": resources, "verbs": ["get"]}
    return f"# {_SOURCE}\n" + yaml.safe_dump([rule], sort_keys=False, width=120)


def main(arguments: list[str]) -> None:
    """Write both files below a folder, the current one when none is named."""
    root = Path(arguments[0] if arguments else ".")
    for path, text in ((PAGE, page()), (RULES, rules())):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{root / path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
