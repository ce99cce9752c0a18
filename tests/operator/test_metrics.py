"""Dashboards and alerts depend on the operator's metrics: their names, types, labels and buckets are fixed here."""

from tests.support.exported import Exported, exported, rows
from ttscontract.metric import Exporter
from ttsoperator.metrics import Metrics

PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
EXPORTED: Exported = {
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
    assert exported(metrics.registry) == rows(Exporter.OPERATOR) == EXPORTED
