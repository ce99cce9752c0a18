"""The operator's own metrics."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from ttscontract import metrics as catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttscontract.metric import Metric

CHANGED, UNCHANGED, REFUSED, FAILED = "changed", "unchanged", "refused", "failed"


class Metrics:
    """The metrics of one operator process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.passes = self._counter(catalogue.RECONCILES)
        self.errors = self._counter(catalogue.RECONCILE_ERRORS)
        duration = catalogue.RECONCILE_DURATION
        self.duration = Histogram(duration.name, duration.help, buckets=duration.buckets, registry=self.registry)
        self.requests = self._counter(catalogue.API_REQUESTS)
        self.scrapes = self._counter(catalogue.SCRAPES)
        self.services = self._gauge(catalogue.SERVICES)
        self.leader = self._gauge(catalogue.LEADER)
        self.queue_depth = self._gauge(catalogue.OPERATOR_QUEUE_DEPTH)
        self.pass_age = self._gauge(catalogue.LAST_RECONCILE_AGE)
        for result in (CHANGED, UNCHANGED, REFUSED, FAILED):
            self.passes.labels(result)

    def count_request(self, verb: str, code: int) -> None:
        """Count one request to the API server."""
        self.requests.labels(verb, str(code)).inc()

    def count_scrape(self, result: str) -> None:
        """Count one scrape of a pod."""
        self.scrapes.labels(result).inc()

    @contextmanager
    def timed_pass(self) -> Iterator[None]:
        """Time one pass and count it if it fails."""
        started = perf_counter()
        try:
            yield
        except Exception:
            self.errors.inc()
            self.passes.labels(FAILED).inc()
            raise
        finally:
            self.duration.observe(perf_counter() - started)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self.registry)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.help, registry=self.registry)
