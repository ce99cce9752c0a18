"""The Prometheus collectors of one program, made from the rows of the metrics catalogue."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ttscontract.metric import Exporter, Metric, Type
from ttscontract.metrics import CATALOGUE

OptionalValues = Mapping[Metric, float | None]
"""Values of optional metrics; None where a value is not known."""


class Collectors:
    """A registry, and its collectors by row. Optional metrics have none: `on_scrape` names who reads them."""

    def __init__(self, exporter: Exporter) -> None:
        self.registry = registry = CollectorRegistry()
        rows = [row for row in CATALOGUE if row.exported_by is exporter and not row.optional]
        self.counters = {
            row: Counter(row.name, row.help, row.labels, registry=registry) for row in rows if row.type is Type.COUNTER
        }
        self.gauges = {
            row: Gauge(row.name, row.help, row.labels, registry=registry) for row in rows if row.type is Type.GAUGE
        }
        self.histograms = {
            row: Histogram(row.name, row.help, row.labels, buckets=row.buckets, registry=registry)
            for row in rows
            if row.type is Type.HISTOGRAM
        }

    def on_scrape(self, read: Callable[[], OptionalValues]) -> None:
        """Export the optional gauges that `read` returns, each time that somebody scrapes the registry."""
        self.registry.register(_OptionalGauges(read))


class _OptionalGauges(Collector):
    def __init__(self, read: Callable[[], OptionalValues]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for row, value in self._read().items():
            if value is not None:
                yield GaugeMetricFamily(row.name, row.help, value)
