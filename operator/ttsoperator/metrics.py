"""The operator's own metrics."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGED, UNCHANGED, REFUSED, FAILED = "changed", "unchanged", "refused", "failed"


class Metrics:
    """Counters of one operator process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.passes = Counter(
            "tts_operator_reconciles",
            "Passes over one TTSService: unchanged (nothing to write), changed, refused (by the API), failed",
            ["result"],
            registry=self.registry,
        )
        self.errors = Counter(
            "tts_operator_reconcile_errors", "Passes that ended in an error and are tried again", registry=self.registry
        )
        self.duration = Histogram(
            "tts_operator_reconcile_duration_seconds",
            "Duration of a pass",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.requests = Counter(
            "tts_operator_api_requests",
            "Requests to the API server by verb and HTTP status (0: no answer), watches excepted",
            ["verb", "code"],
            registry=self.registry,
        )
        self.scrapes = Counter(
            "tts_operator_scrapes",
            "Metrics read from worker and download pods, by result",
            ["result"],
            registry=self.registry,
        )
        self.services = self._gauge("tts_operator_services", "TTSServices known")
        self.leader = self._gauge("tts_operator_leader", "1 while this replica holds the Lease and writes")
        self.queue_depth = self._gauge("tts_operator_queue_depth", "TTSServices that wait for a pass now")
        self.pass_age = self._gauge(
            "tts_operator_last_reconcile_age_seconds", "Seconds since a pass ended, -1 before the first"
        )
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

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(name, help_text, registry=self.registry)
