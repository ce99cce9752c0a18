"""The metrics of a registry and of the catalogue in one form, to compare them."""

from prometheus_client import CollectorRegistry

from ttscontract.metric import Exporter
from ttscontract.metrics import CATALOGUE

Exported = dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]]
"""Type, labels and buckets (without infinity) by exported name."""


def exported(registry: CollectorRegistry) -> Exported:
    """Our metrics in a registry; one with labels needs a sample, or its labels look empty."""
    found: Exported = {}
    for family in registry.collect():
        if family.name.startswith("tts_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = tuple(family.samples[0].labels) if family.samples else ()
            bounds = [float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels]
            found[name] = (family.type, tuple(label for label in labels if label != "le"), tuple(bounds[:-1]))
    return found


def rows(exporter: Exporter) -> Exported:
    """The same of the catalogue's rows."""
    return {row.name: (row.type, row.labels, row.buckets) for row in CATALOGUE if row.exported_by is exporter}
