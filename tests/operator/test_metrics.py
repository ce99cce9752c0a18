"""Dashboards and alerts depend on the operator's metrics: their names, types, labels and buckets are fixed here."""

from ttscontract.metric import Exporter
from ttscontract.metrics import CATALOGUE
from ttsoperator.metrics import Metrics

PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
EXPORTED = {
    "tts_operator_api_requests_total": ("counter", ("verb", "code"), ()),
    "tts_operator_last_reconcile_age_seconds": ("gauge", (), ()),
    "tts_operator_leader": ("gauge", (), ()),
    "tts_operator_queue_depth": ("gauge", (), ()),
    "tts_operator_reconcile_duration_seconds": ("histogram", (), PASS_SECONDS),
    "tts_operator_reconcile_errors_total": ("counter", (), ()),
    "tts_operator_reconciles_total": ("counter", ("result",), ()),
    "tts_operator_scrapes_total": ("counter", ("result",), ()),
    "tts_operator_services": ("gauge", (), ()),
}


def test_the_operator_exports_these_and_no_others() -> None:
    metrics = Metrics()
    metrics.count_request("GET", 200)
    metrics.count_scrape("answered")
    exported = {}
    for family in metrics.registry.collect():
        if family.name.startswith("tts_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = tuple(label for label in family.samples[0].labels if label != "le")
            bounds = [float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels]
            exported[name] = (family.type, labels, tuple(bounds[:-1]))
    rows = {r.name: (r.type, r.labels, r.buckets) for r in CATALOGUE if r.exported_by is Exporter.OPERATOR}
    assert exported == rows == EXPORTED
